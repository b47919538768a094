"""Make verifications that a test starts with."""

from typing import Any

from tests.support.api import Answer
from tests.support.given import Given


class Records(Given):
    def a_verification(
        self,
        deployment: str | None = None,
        *,
        environment: str = "development",
        workspace: str = "default",
        outcome: str = "success",
        suite: str = "acceptance",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        """Record a verification of a deployment, or of what runs on the target."""
        body = {
            "deployment": deployment or self.what_runs(environment, workspace, system=system),
            "suite": suite,
            "trigger": "deployment",
            "outcome": outcome,
            **fields,
        }
        return self.post(f"/v1/systems/{system}/verifications", body)

    def what_runs(self, environment: str = "development", workspace: str = "default", *, system: str = "azul") -> str:
        """Return the id of the deployment that runs on a target."""
        [(id_,)] = self.sql(
            """
            SELECT d.id::text FROM deployments d JOIN environments e ON e.id = d.environment_id
                JOIN systems s ON s.id = d.system_id
            WHERE s.key = %s AND e.name = %s AND d.workspace = %s AND d.state = 'succeeded'
            ORDER BY d.finished_at DESC, d.id DESC LIMIT 1
            """,
            system,
            environment,
            workspace,
        )
        return str(id_)
