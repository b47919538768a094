"""Make verifications that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given


class Records(Given):
    def a_verification(
        self,
        *,
        environment: str = "development",
        outcome: str = "success",
        suite: str = "acceptance",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "suite": suite,
            "trigger": "deployment",
            "outcome": outcome,
            **fields,
        }
        return self.post(f"/v1/systems/{system}/verifications", body)
