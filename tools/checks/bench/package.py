"""Measure the size of the deployed zip, because every cold start downloads and unpacks the zip."""

from pathlib import Path

from tools.checkout import LOCAL_STATE, ROOT, ToolError
from tools.checks.bench.figures import Figure
from tools.package import compose

# The bound is a quarter above the zip's size. A sixth of the zip is bytecode. boto3 alone would add more than this
# quarter. So the bound shows if somebody adds a development package by mistake.
BOUND = 14_000_000

FOLDER = LOCAL_STATE / "bench"


def figure(folder: Path) -> Figure:
    """Return the size of deployment.zip in a folder."""
    return Figure("package: deployment.zip", (folder / "deployment.zip").stat().st_size, "bytes", BOUND)


def make() -> Path:
    """Package the stage `production` into FOLDER, and return it. Raise ToolError, for example without a network."""
    try:
        compose.package("production", FOLDER, ROOT)
    except ToolError as error:
        raise ToolError(f"deployment.zip was not made: {error}") from None
    return FOLDER
