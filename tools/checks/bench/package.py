"""Measure the deployed zip's size: every cold start downloads and unpacks it."""

from pathlib import Path

from chalicelib.settings import LOCAL_STATE
from tools.checkout import ROOT, ToolError
from tools.checks.bench.figures import Figure
from tools.package import compose

# A quarter more bytes than the zip has now. boto3 alone would add more than that. So the bound shows if somebody adds a
# development package by mistake.
BOUND = 12_000_000

FOLDER = LOCAL_STATE / "bench"


def figure() -> Figure:
    """Return the size of deployment.zip. Raises ToolError if the zip can't be made, as without a network."""
    return Figure("package: deployment.zip", make().stat().st_size, "bytes", BOUND)


def make() -> Path:
    """Package the stage `production` into FOLDER. Return the zip's path. Raises ToolError."""
    try:
        compose.package("production", FOLDER, ROOT)
    except ToolError as error:
        raise ToolError(f"deployment.zip was not made: {error}") from None
    return FOLDER / "deployment.zip"
