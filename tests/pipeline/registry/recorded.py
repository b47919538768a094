"""Deployments that a pipeline's commands record."""

from typing import Any

from tests.support.given import Given


def deployments(given: Given) -> list[tuple[Any, ...]]:
    return given.sql(
        "SELECT e.name, d.kind, d.state FROM deployments d JOIN environments e ON e.id = d.environment_id ORDER BY d.id"
    )


def deploy(step: Any, **variables: str) -> str:
    """Open a deployment and record its success; return the deployment's id."""
    assert step("deployment-open", **variables) == 0, step.said
    deployment = str(step.outputs["deployment"])
    assert step("deployment-status", **variables, DEPLOYMENT=deployment, STATE="success") == 0, step.said
    return deployment
