"""The commands of `python -m tools checks`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option

COMMANDS = (
    Command(
        "policy",
        "Judge mocked plans by infra/policy, and the policies by plans that violate them",
        "tools.checks.policy.judge:main",
        (Option("ENV", "one environment alone, without the mutants", ENVIRONMENTS),),
    ),
    Command("checkov", "Look for known faults in infra/", "tools.checks.checkov:main"),
    Command("untested", "Name in a line what this machine cannot test", "tools.checks.untested:main"),
    Command("openapi", "Write openapi.json from the code", "tools.checks.openapi.file:main"),
    Command("schema", "Write docs/schema.sql from the migrations", "tools.checks.schema:main"),
    Command(
        "coverage",
        "Require that tests run 95 % of the lines that differ from a base",
        "tools.checks.coverage:main",
        (
            Option("BASE", "the commit to compare with", default="origin/development"),
            Option("TESTS", "the tests to run", default="tests/unit tests/service"),
            Option("PROCESSES", "how many at once", default="logical"),
        ),
    ),
    Command(
        "fuzz",
        "Ask the service what nobody would, made up from openapi.json",
        "tools.checks.fuzz:main",
        (
            Option("EXAMPLES", "requests for each operation", default="200"),
            Option("SECONDS", "how long the series of steps take", default="60"),
            Option("SEED", "repeat the run with this seed"),
        ),
    ),
    Command("bench", "Measure what a request and a cold start cost", "tools.checks.bench.report:main"),
)
