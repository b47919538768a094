"""The commands of `python -m tools local`."""

from tools.commands import Command, Option

ROLES = ("viewer", "pipeline", "maintainer", "admin")

TOKEN = Option("TOKEN", "a token for the service; without TOKEN, the local issuer makes an admin's token")

COMMANDS = (
    Command(
        "run",
        "Run the database and the server until Ctrl-C, and restart the server when code changes",
        "tools.local.run:main",
        (
            Option("PORT", "the port on 127.0.0.1", default="8000"),
            Option(
                "DATABASE_URL",
                "a PostgreSQL database for the service alone; without DATABASE_URL, the embedded database is used",
            ),
            Option("EMULATED", "send every AWS call to the emulated account", flag=True),
        ),
    ),
    Command(
        "serve",
        "Serve one version of the code; only `run` uses this command",
        "tools.local.server:main",
        (
            Option("PORT", "the port on 127.0.0.1", required=True),
            Option("CHANNEL", "the file descriptor of a socket to the parent process", required=True),
        ),
    ),
    Command(
        "token",
        "Print a token of the local issuer",
        "tools.local.token:main",
        (
            Option("ROLE", "the role", ROLES, required=True),
            Option("SYSTEM", "the keys of the systems, separated by commas"),
            Option("SUBJECT", "the claim sub"),
            Option("RUN_ID", "the claim run_id"),
            Option("RUN_ATTEMPT", "the claim run_attempt"),
            Option("SHA", "the claim sha"),
            Option("ACTOR", "the claim actor"),
        ),
    ),
    Command("database-start", "Start the database alone and leave it running", "tools.local.database:start"),
    Command("database-stop", "Stop the database that `database-start` started", "tools.local.database:stop"),
    Command("database-reset", "Delete the local database and its data", "tools.local.database:reset"),
    Command(
        "acceptance",
        "Test a running service; the exit code is 1 if a check failed, 2 if the run broke",
        "tools.local.acceptance.run:main",
        (
            Option("URL", "the address of the service, without /v1", required=True),
            TOKEN,
            Option("SYSTEM", "the system to record in", default="acceptance"),
            Option("READ_ONLY", "write nothing", flag=True),
            Option("SITE", "the CDN is in front of the service", flag=True),
            Option("DIGEST", "the digest of the package that should run, sha256:…"),
            Option("REPORT", "the path of a file for the JSON report"),
            Option("READY_SECONDS", "how many seconds to wait until the service is ready"),
        ),
    ),
    Command(
        "load",
        "Send a running service a load; the exit code is 1 if it misses an objective, 2 if the run broke",
        "tools.local.load.run:main",
        (
            Option("URL", "the address of the service, without /v1", required=True),
            Option("PROFILE", "smoke for 10 seconds, load for five minutes", ("smoke", "load"), default="smoke"),
            Option("SECONDS", "how long to send, instead of the profile's time"),
            TOKEN,
            Option("SYSTEM", "the beginning of the keys of the systems to record in", default="load"),
            Option("READ_ONLY", "write nothing", flag=True),
            Option("REPORT", "the path of a file for the JSON report"),
            Option("PRODUCTION", "load a service that has users; CONFIRM must name its host too", flag=True),
            Option("CONFIRM", "the host of a service that has users"),
        ),
    ),
)
