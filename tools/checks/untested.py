"""Print what this machine can't test, and why. `make test` prints this line at the end, so that nobody misses it."""

from collections.abc import Mapping

from tools.aws import terraform
from tools.checks import npm


def main(environ: Mapping[str, str]) -> None:
    """Print the line, or nothing if everything can be tested."""
    reasons = {"infrastructure": terraform.missing(), "workflows and OpenAPI": npm.missing()}
    lacking = [f"{what} ({reason})" for what, reason in reasons.items() if reason]
    if lacking:
        print(f"Not tested: {', '.join(lacking)}")
