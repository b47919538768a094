"""Make deployments that a test starts with."""

import hashlib
from typing import Any

from tests.support.api import Answer
from tests.support.given import Given


def an_artifact(name: str = "first") -> str:
    """Return an artifact for a name. The same name always gives the same artifact."""
    return f"tree:{hashlib.sha1(name.encode()).hexdigest()}"  # noqa: S324


def a_revision(name: str = "first") -> str:
    return hashlib.sha1(f"revision {name}".encode()).hexdigest()  # noqa: S324


class Records(Given):
    def a_deployment(
        self,
        artifact: str | None = None,
        *,
        environment: str = "development",
        state: str = "succeeded",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        """Record a deployment in a state. An override skips the gate, so a test can start with any deployment."""
        body = {
            "environment": environment,
            "artifact": artifact or an_artifact(),
            "override_reason": "The test starts with this record",
            **fields,
        }
        deployment = self.post(f"/v1/systems/{system}/deployments", body)
        if state != "in_progress":
            self.a_status(deployment["id"], state, system=system)
        return deployment

    def a_status(self, deployment: str, state: str, *, system: str = "azul", **fields: Any) -> Answer:
        path = f"/v1/systems/{system}/deployments/{deployment}/statuses"
        return self.post(path, {"state": state, **fields})

    def an_import(
        self,
        artifact: str | None = None,
        *,
        environment: str = "development",
        at: str = "2026-01-01T00:00:00Z",
        state: str = "succeeded",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "artifact": artifact or an_artifact(),
            "imported": True,
            "state": state,
            "started_at": at,
            "finished_at": at,
            **fields,
        }
        return self.post(f"/v1/systems/{system}/deployments", body)
