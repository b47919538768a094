"""Approvals for random requests."""

from tools.checks.fuzz import Fuzz, Record
from tools.checks.fuzz.systems import SYSTEM

FUZZ = Fuzz(
    after=("environments", "holds"),
    records=tuple(
        Record(f"{SYSTEM}/approvals", {"environment": "production", "artifact": f"tree:{number:040}"})
        for number in range(10, 13)
    ),
    rules={("give_approval", "#/artifact"): "a system uses one kind of artifact"},
)
