"""The size of what is deployed: it is fetched and unpacked at every cold start."""

from pathlib import Path

from chalicelib.settings import LOCAL_STATE
from tools.checkout import ROOT, ToolError
from tools.checks.bench.figures import Figure
from tools.package import compose

# A quarter above what it takes. boto3 alone is more than that: what only development needs has slipped in.
BOUND = 12_000_000

FOLDER = LOCAL_STATE / "bench"


def figure() -> Figure:
    """The bytes of deployment.zip. Raises ToolError where it can't be made: its wheels come from the network."""
    return Figure("package: deployment.zip", make().stat().st_size, "bytes", BOUND)


def make() -> Path:
    """The package of the stage `production`, beside the one that the checkout may have."""
    try:
        compose.package("production", FOLDER, ROOT)
    except ToolError as error:
        raise ToolError(f"deployment.zip was not made: {error}") from None
    return FOLDER / "deployment.zip"
