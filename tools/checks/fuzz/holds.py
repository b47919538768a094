"""Holds for random requests. Their freezes begin late, and nobody deploys the artifacts of their bad marks."""

from tools.checks.fuzz import Fuzz, Record, ahead, often
from tools.checks.fuzz.systems import SYSTEM

_HOLDS = f"{SYSTEM}/holds"
_LATE = {"reason": "Data for the requests", "starts_at": ahead(days=400)}

FUZZ = Fuzz(
    after=("environments",),
    records=(
        *(
            Record(_HOLDS, {"kind": "bad", "artifact": f"tree:{number:040}", "reason": "Data for the requests"})
            for number in range(2)
        ),
        Record(_HOLDS, {"kind": "freeze", **_LATE}),
        *(Record("/v1/holds", {"kind": "freeze", **_LATE}) for _ in range(3)),
    ),
    values={"path.hold": often("4", "5", "6")},
    rules={
        (
            "create_hold",
            "#/(environment|artifact|production|starts_at|ends_at|recurrence|blocks_rollbacks)",
        ): "each kind of hold needs some of these fields, and must not have others",
        ("create_(hold|freeze)", "#/(starts_at|ends_at)"): "the times must be in order, and not in the past",
        ("create_(hold|freeze)", "#/recurrence(/.+)?"): "the time zone must be known, and the windows in order",
    },
)
