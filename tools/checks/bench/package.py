"""Measure the size of the deployed zip, because every cold start downloads and unpacks the zip."""

from pathlib import Path

from tools.checkout import LOCAL_STATE, ROOT, ToolError
from tools.checks.bench.figures import Figure
from tools.package import compose

# The bound is a quarter above the zip's size. boto3 alone would add more than this quarter. So the bound shows if
# somebody adds a development package by mistake.
BOUND = 12_000_000

FOLDER = LOCAL_STATE / "bench"


def figure() -> Figure:
    """Return the size of deployment.zip. Raise ToolError if the zip can't be made, for example without a network."""
    return Figure("package: deployment.zip", make().stat().st_size, "bytes", BOUND)


def make() -> Path:
    """Package the stage `production` into FOLDER. Return the zip's path, or raise ToolError."""
    try:
        compose.package("production", FOLDER, ROOT)
    except ToolError as error:
        raise ToolError(f"deployment.zip was not made: {error}") from None
    return FOLDER / "deployment.zip"
