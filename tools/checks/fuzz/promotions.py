"""A promotion for random requests."""

from tools.checks.fuzz import Fuzz, Record
from tools.checks.fuzz.deployments import ARTIFACT
from tools.checks.fuzz.systems import SYSTEM

FUZZ = Fuzz(
    after=("verifications",),
    records=(Record(f"{SYSTEM}/promotions", {"environment": "production", "artifact": ARTIFACT}),),
    rules={
        ("decide_promotion", "#/artifact"): "a system uses one kind of artifact",
        ("decide_promotion", "#/at"): "only a dry run is about another moment, in the next 90 days",
    },
)
