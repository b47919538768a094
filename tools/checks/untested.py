"""Print a line with the parts that this machine can't test, and why. `make test` prints this line at its end."""

from collections.abc import Mapping

from tools.aws import terraform
from tools.checks import chromium, npm


def main(environ: Mapping[str, str]) -> None:
    """Print the parts that can't be tested, or nothing if everything can be tested."""
    reasons = {
        "infrastructure": terraform.missing(),
        "workflows and OpenAPI": npm.missing(),
        "the dashboard": chromium.missing(),
    }
    lacking = [f"{what} ({reason})" for what, reason in reasons.items() if reason]
    if lacking:
        print(f"Not tested: {', '.join(lacking)}")
