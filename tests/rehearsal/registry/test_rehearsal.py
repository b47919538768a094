"""Run the jobs of the workflows for two environments with a registry that keeps the records, and check the records.

tests/rehearsal/test_rehearsal.py checks what does not depend on a registry.
"""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib import NAME
from tests.rehearsal import steps
from tests.rehearsal.github import Ran, say
from tests.rehearsal.places import Place
from tests.rehearsal.stage import (
    FIX_42,
    NEEDS,
    STATES,
    WORKSPACE,
    Maintainer,
    Stage,
    finished,
    follow_page,
    record,
    staged,
)
from tests.rehearsal.states import states
from tools.local.acceptance.service import Wait
from tools.local.issuer import token

pytestmark = [pytest.mark.nightly, *NEEDS]

EXPIRY_SECONDS = 90


class Registry(Place):
    """The registry that keeps the records. It serves the code of the checkout."""

    def ask(self, path: str) -> Any:
        """Read a path below the system."""
        answer = requests.get(
            f"{self.url}/v1/systems/{NAME}/{path}",
            headers={"Authorization": f"Bearer {token('viewer')}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def deployments(self, environment: str) -> list[dict[str, Any]]:
        """Return the environment's deployments, oldest first."""
        return list(reversed(self.ask(f"deployments?environment={environment}")["items"]))

    def verifications(self, environment: str) -> list[str]:
        """Return the outcomes of the environment's verifications, oldest first."""
        items = self.ask(f"verifications?environment={environment}")["items"]
        return [item["outcome"] for item in reversed(items)]

    def current(self, environment: str) -> str:
        """Return the environment's current artifact, as the registry records it."""
        [target] = [
            each
            for each in self.ask("state")["targets"]
            if (each["environment"], each["workspace"]) == (environment, "default")
        ]
        return str(target["current"]["artifact"])

    def begin(self, environment: str, artifact: str) -> None:
        """Open a deployment, and give it up."""
        opened = self.record("deployments", {"environment": environment, "artifact": artifact})
        self.record(f"deployments/{opened['id']}/statuses", {"state": "cancelled"})

    def record(self, path: str, body: dict[str, str]) -> Any:
        """Write to a path below the system, as another pipeline."""
        answer = requests.post(
            f"{self.url}/v1/systems/{NAME}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token('pipeline', [NAME])}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def allow_workspaces(self, environment: str) -> None:
        """Let maintainers route others to the hosts of the environment's workspaces."""
        hosts = [urlsplit(each["base_url"]).hostname for each in self.ask("workspaces")["items"]]
        answer = requests.patch(
            f"{self.url}/v1/systems/{NAME}/environments/{environment}",
            json={"workspace_hosts": hosts},
            headers={"Authorization": f"Bearer {token('maintainer', [NAME])}", "If-Match": "*"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text

    def stands(self, workspace: str) -> str | None:
        """Return a message if the workspace is active, None if it is not."""
        active = [item["name"] for item in self.ask("workspaces?state=active")["items"]]
        return f"{workspace} is active" if workspace in active else None


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        # The policies take long, and tests/rehearsal/test_rehearsal.py checks them.
        stage.github.overrides["LEFT_OUT"] += " policy"
        # Terraform takes twice as long with a firewall, and the other rehearsal has one.
        for environment in stage.places:
            old = "  reserved_concurrency ="
            main = f"infra/{environment}/main.tf"
            stage.github.commit("development", "Remove the firewall", main, old, f"  firewall = false\n{old}")
        yield stage


@pytest.fixture
def registry(stage: Stage) -> Iterator[Registry]:
    trusted = stage.issuer.settings(audience=f"{NAME}-development")
    registry = Registry(stage.folder / "registry", stage.database, "registry", [trusted])
    try:
        registry.serve()
        record(registry.url, "development")
        follow_page(stage.github, "6.", stage.folder / "gh", URL=registry.url)
        yield registry
    finally:
        registry.stop()


def test_from_a_merge_to_a_rollback(stage: Stage, registry: Registry) -> None:
    first, built = steps.deploy_first(stage)
    artifact = stage.github.tree(first)
    assert registry.current("development") == artifact
    assert registry.verifications("development") == ["success"]

    say("\nAt the same time, promote the artifact, use a debug workspace, and deploy a fault")
    merge = stage.github.merge("development", "preproduction")
    with ThreadPoolExecutor(3) as lanes:
        promoted = lanes.submit(promote, stage, registry, first, merge, built)
        debugged = lanes.submit(debug, stage, registry, first)
        developed = lanes.submit(develop, stage, registry, artifact, promoted)
        finished(promoted, debugged, developed)
    stage.judge_calls()
    say("\nThe rehearsal passed")


def promote(stage: Stage, registry: Registry, first: str, merge: str, built: Ran) -> None:
    """Deploy the same package to preproduction, and record both deployments alike."""
    steps.promote(stage, first, merge, built)
    [there], here = registry.deployments("preproduction"), registry.deployments("development")[0]
    assert (there["revision"], here["revision"]) == (merge, first)
    assert there["artifact"] == here["artifact"]
    assert there["detail"] == here["detail"] == f"package {built.outputs['digest']}"
    assert registry.verifications("preproduction") == ["success", "error"]  # the load is left out, so it has no report


def develop(stage: Stage, registry: Registry, artifact: str, promoted: "Future[None]") -> None:
    """Record a rollback, and refuse to promote an unverified artifact."""
    steps.deploy_a_fault(stage)
    assert [(each["kind"], each["state"]) for each in registry.deployments("development")] == [
        ("rollout", "succeeded"),
        ("rollout", "succeeded"),
        ("rollback", "succeeded"),
    ]
    assert registry.verifications("development") == ["success", "failure"]
    assert registry.current("development") == artifact

    fixed = steps.fix(stage)
    _, deployed = stage.deploy("development", cancelled_after="Record how the deployment ended")
    assert deployed.outcome("Run the acceptance tests") == "skipped"
    assert registry.current("development") == stage.github.tree(fixed)
    promoted.result()
    steps.refuse_to_promote(stage, "not-verified")
    assert registry.current("preproduction") == artifact

    say("\nLet another deployment begin while the tests run, and another one after their result is recorded")
    stage.verify({"Run the acceptance tests": lambda: registry.begin("development", artifact)})
    assert registry.verifications("development")[-1] == "error"
    stage.verify({"Record the verification": lambda: registry.begin("development", artifact)})
    assert registry.verifications("development")[-1] == "success"
    stage.github.run("deploy", "artifact", "preproduction").succeeded()


def debug(stage: Stage, registry: Registry, first: str) -> None:
    """Record a debug workspace and a route to it, until the workspace expires and is destroyed."""
    stage.github.branch("debug/fix-42", first)
    stage.manage("create", ref="debug/fix-42")
    assert stage.has_data_api("development-d-fix-42")
    registry.allow_workspaces("development")
    recorded = f"SLIPWAY_URL={registry.url} SLIPWAY_SYSTEM={NAME} SLIPWAY_TOKEN={token('maintainer', [NAME])}"
    Maintainer(stage, first, "development", "on-call").run(f"{recorded} make route {FIX_42} CLIENT=jane UNTIL=2h")
    assert (stage.sent_to("jane"), stage.sent_to("joe")) == ("fix-42", "default")
    [known] = registry.ask("workspaces")["items"]
    assert (known["name"], known["state"], known["database"]) == ("fix-42", "active", "clone")
    assert re.match(r"https://\w+\.execute-api\.", known["base_url"])
    assert WORKSPACE in states(stage.port)

    stage.manage("extend", expires="1m")
    assert Wait(EXPIRY_SECONDS, say)("the workspace's end", lambda: registry.stands("fix-42")) is None
    assert stage.sent_to("jane") == "default"
    reaped = stage.reap()
    assert "development-d-fix-42 is destroyed" in reaped.said("Destroy expired workspaces, and report orphans")
    assert registry.ask("workspaces")["items"][0]["state"] == "destroyed"
    assert states(stage.port).keys() <= STATES - {WORKSPACE}
