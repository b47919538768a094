"""The commands of `python -m tools checks`."""

from tools.checkout import ENVIRONMENTS
from tools.commands import Command, Option

COMMANDS = (
    Command(
        "policy",
        "Check mocked plans against infra/policy, and require that each policy finds violations",
        "tools.checks.policy.judge:main",
        (Option("ENV", "check only the plans of this environment, or of the accounts", (*ENVIRONMENTS, "account")),),
    ),
    Command(
        "walls",
        "Ask the rendered IAM policies who may do what, and compare with the table of questions",
        "tools.checks.walls.report:main",
        (Option("WHO", "print all requests of the principals whose names match this pattern"),),
    ),
    Command(
        "dependencies",
        "List the environments' dependencies, and fail if two environments share one that is exclusive",
        "tools.checks.dependencies:main",
    ),
    Command("checkov", "Check infra/ for known faults", "tools.checks.checkov:main"),
    Command("costs", "Compute what each environment costs a month", "tools.checks.costs:main", only_prints=True),
    Command("untested", "Print what this machine can't test, and why", "tools.checks.untested:main"),
    Command("openapi", "Write openapi.json from the code", "tools.checks.openapi.file:main"),
    Command("schema", "Write docs/schema.sql from the migrations", "tools.checks.schema:main"),
    Command(
        "coverage",
        "Require that tests run 95 % of the changed lines",
        "tools.checks.coverage:main",
        (
            Option("BASE", "the commit to compare with", default="origin/development"),
            Option("TESTS", "the tests to run", default="tests/unit tests/service"),
            Option("PROCESSES", "how many processes run tests at once", default="logical"),
        ),
    ),
    Command(
        "fuzz",
        "Test the service with random requests made from openapi.json",
        "tools.checks.fuzz_run:main",
        (
            Option("EXAMPLES", "the number of requests for each operation", default="200"),
            Option("SECONDS", "how many seconds to send series of requests", default="60"),
            Option("SEED", "the seed of a run, to repeat the run"),
        ),
    ),
    Command(
        "bench",
        "Measure the cost of a request and a cold start",
        "tools.checks.bench.report:main",
        (Option("SCALE", "1 to measure requests with 2 million deployments instead, for 15 minutes", ("0", "1")),),
    ),
    Command(
        "capacity",
        "Measure what a request costs, and write into docs/capacity.md what environments can bear",
        "tools.checks.capacity.page:main",
    ),
)
