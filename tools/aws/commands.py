"""The commands of `python -m tools aws`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option
from tools.local.log_lines import LEVELS

_SOURCES = ("empty", "clone", "live")

_ENV = Option("ENV", "the environment", ENVIRONMENTS, required=True)
_WORKSPACE = Option("WORKSPACE", "the environment's workspace; `default` is the environment itself", default="default")
_OF_A_WORKSPACE = Option("WORKSPACE", "a workspace of the environment, such as fix-42", required=True)
_EMULATED = Option("EMULATED", "the port of an emulated account, or 1 for the usual port")
_YES = Option("YES", "apply without asking for consent", flag=True)
_PACKAGE = Option("PACKAGE", "the folder of a package; without PACKAGE, the checkout is packaged")
_PURPOSE = Option(
    "PURPOSE", "the purpose of a new workspace, or the kind of an existing one", ("personal", "preview", "debug")
)
_CHOICES = (
    Option("DATABASE", "the source of the workspace's data: clone and live only with PURPOSE=debug", _SOURCES),
    Option("OWNER", "the person who is responsible for the workspace"),
)
_TARGET = (_ENV, _WORKSPACE, _PURPOSE, _EMULATED)
_REGISTRY = (
    Option("SLIPWAY_URL", "the address of the registry; without SLIPWAY_URL, a tag keeps the end of a workspace"),
    Option("SLIPWAY_SYSTEM", "the key of the system in the registry"),
    Option("SLIPWAY_TOKEN", "a token for the registry"),
)
_REASON = Option("REASON", "why the workspace is needed")
_EXPIRES = Option("EXPIRES", "how long the workspace is needed, such as 8h or 2d", required=True)
_CLIENT = Option("CLIENT", "the client", required=True)
_WORKSPACE_TARGET = (_ENV, _OF_A_WORKSPACE, _PURPOSE, _EMULATED, _YES, *_REGISTRY)

COMMANDS = (
    Command(
        "emulator",
        "Serve an emulated AWS account until Ctrl-C",
        "tools.aws.emulator.serve:main",
        (
            Option("PORT", "the port on 127.0.0.1", default="4566"),
            Option("CALLS", "a file, to which the account adds a line of JSON for each call"),
        ),
    ),
    Command(
        "account",
        "Create the resources that an AWS account needs before its first environment",
        "tools.aws.account:main",
        (Option("ACCOUNT", "the account", ("testing", "production"), default="testing"), _EMULATED, _YES),
    ),
    Command(
        "plan",
        "Save a plan of an environment or a workspace",
        "tools.aws.environment:plan_command",
        (*_TARGET, *_CHOICES, _PACKAGE, Option("LOCK", "0 to plan without locking the state", ("0", "1"))),
    ),
    Command(
        "apply",
        "Apply a plan, migrate the database, and switch to the new version",
        "tools.aws.applying:apply_command",
        (*_TARGET, *_CHOICES, _PACKAGE, _YES, Option("PLAN", "apply the plan that `plan` saved", flag=True)),
    ),
    Command(
        "rollback",
        "Switch an environment or a workspace back to its previous version",
        "tools.aws.environment:rollback_command",
        _TARGET,
    ),
    Command(
        "destroy",
        "Destroy an environment or a workspace",
        "tools.aws.applying:destroy_command",
        (*_TARGET, _PACKAGE, _YES),
    ),
    Command(
        "unlock",
        "Unlock the state of an environment or a workspace after its apply was killed",
        "tools.aws.unlock:main",
        (*_TARGET, Option("YES", "unlock without asking", flag=True)),
    ),
    Command(
        "workspace-create",
        "Create a workspace, and record its end",
        "tools.aws.workspace:create",
        (
            *_WORKSPACE_TARGET,
            *_CHOICES,
            _PACKAGE,
            _REASON,
            _EXPIRES,
            Option("CLIENT", "a client to route to the workspace"),
            Option("UNTIL", "how long to route the client, such as 2h"),
        ),
    ),
    Command(
        "workspace-extend",
        "Change the time when a workspace expires",
        "tools.aws.workspace:extend",
        (*_WORKSPACE_TARGET, _REASON, _EXPIRES),
    ),
    Command(
        "workspace-destroy",
        "Destroy a workspace and its routes, and record that it is destroyed",
        "tools.aws.workspace:destroy",
        (*_WORKSPACE_TARGET, _PACKAGE),
    ),
    Command(
        "route",
        "Send a client to a debug workspace",
        "tools.aws.workspace:route",
        (*_WORKSPACE_TARGET, _CLIENT, Option("UNTIL", "how long to route the client, such as 2h", required=True)),
    ),
    Command(
        "unroute",
        "Send a client to its environment again",
        "tools.aws.workspace:unroute",
        (*_WORKSPACE_TARGET, _CLIENT),
    ),
    Command(
        "reap",
        "Destroy expired workspaces; report workspaces without a record and records without a workspace",
        "tools.aws.workspace:reap",
        (_ENV, _PURPOSE, _EMULATED, _YES, _PACKAGE, *_REGISTRY),
    ),
    Command(
        "logs",
        "Print the log lines of an environment's functions and gateway, or of `make run`",
        "tools.aws.logs:main",
        (
            Option("ENV", "the environment; local for `make run`", (*ENVIRONMENTS, "local"), required=True),
            *(_WORKSPACE, _PURPOSE, _EMULATED),
            Option("SINCE", "how far to go back, such as 30m or 2h", default="1h"),
            Option("REQUEST_ID", "print only this request's lines"),
            Option("LEVEL", "print only lines of at least this level", LEVELS),
            Option("FOLLOW", "also print new lines, until Ctrl-C", flag=True),
        ),
        only_prints=True,
    ),
    Command(
        "db-shell",
        "Run SQL on the database of an environment, or on the local database",
        "tools.aws.db_shell:main",
        (
            Option("ENV", "the environment; without ENV, the local database is used", (*ENVIRONMENTS, "local")),
            Option("WORKSPACE", "a workspace of the environment"),
            _PURPOSE,
            _EMULATED,
            _YES,
            Option("SQL", "one statement; without SQL, a shell starts"),
            Option("WRITE", "let statements write", flag=True),
        ),
        only_prints=True,
    ),
    Command(
        "doctor",
        "Check the needed programs, and the account's quotas",
        "tools.aws.doctor:main",
        (Option("ENV", "an environment, to check its account's quotas", ENVIRONMENTS), _WORKSPACE, _PURPOSE, _EMULATED),
    ),
)
