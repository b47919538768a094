"""Make workspaces that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given, ahead


class Records(Given):
    def a_workspace(
        self,
        name: str = "debug",
        *,
        environment: str = "development",
        purpose: str = "debug",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "name": name,
            "purpose": purpose,
            "reason": "The test starts with this record",
            "base_url": "https://debug.example.org",
            "expires_at": ahead(hours=24),
            **fields,
        }
        return self.post(f"/v1/systems/{system}/workspaces", body)
