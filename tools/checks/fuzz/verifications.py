"""Verifications for random requests."""

from tools.checks.fuzz import Fuzz, Record, often
from tools.checks.fuzz.systems import SYSTEM

_VERIFICATION = {"suite": "acceptance", "trigger": "deployment", "outcome": "success"}

FUZZ = Fuzz(
    after=("deployments",),
    records=tuple(
        Record(f"{SYSTEM}/verifications", {"deployment": deployment, **_VERIFICATION}) for deployment in ("1", "2")
    ),
    values={"body.deployment": often("3")},
    rules={
        ("record_verification", "#/deployment"): "the deployment must exist, and an import names none",
        ("record_verification", "#/environment"): "only an import names its environment",
        ("record_verification", "#/workspace"): "the workspace of an import must exist",
        ("record_verification", "#/artifact"): "only an import names its artifact, which was deployed before",
        ("record_verification", "#/(started_at|finished_at)"): "an imported verification must have these fields; the "
        "times must be in order, after 1969, not in the future, before the service's own records",
    },
)
