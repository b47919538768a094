"""Bindings for random requests. Two environments share a queue."""

from tools.checks.fuzz import Fuzz, Record
from tools.checks.fuzz.systems import SYSTEM

_QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"

FUZZ = Fuzz(
    after=("environments",),
    records=tuple(
        Record(
            f"{SYSTEM}/environments/{environment}/bindings",
            {"bindings": [{"dependency": "orders", "instance": _QUEUE, "access": "read_write"}]},
            method="PUT",
        )
        for environment in ("development", "preproduction")
    ),
    problems={"crosstalk-refused": "another environment may use the instance"},
    rules={
        ("replace_bindings", "#/bindings/[0-9]+/instance"): "an instance has one spelling",
        ("replace_bindings", "#/bindings/[0-9]+/dependency"): "each dependency comes once",
    },
)
