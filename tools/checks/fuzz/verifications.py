"""Verifications for random requests."""

from tools.checks.fuzz import Fuzz, Record
from tools.checks.fuzz.systems import SYSTEM

_VERIFICATION = {"suite": "acceptance", "trigger": "deployment", "outcome": "success"}

FUZZ = Fuzz(
    after=("deployments",),
    records=tuple(
        Record(f"{SYSTEM}/verifications", {"environment": environment, **_VERIFICATION})
        for environment in ("development", "preproduction")
    ),
    rules={
        ("record_verification", "#/workspace"): "the workspace must exist",
        ("record_verification", "#/artifact"): "a system uses one kind of artifact; an import must name its artifact",
        ("record_verification", "#/(started_at|finished_at)"): "an imported verification must have these fields; the "
        "times must be in order, after 1969, not in the future",
    },
)
