"""A pipeline passes the gate only with a verified artifact. A target takes one deployment at a time."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tools.local.acceptance.service import Answer, Service

LEASE_SECONDS = 60  # a short lease, so that a killed run blocks the next run only briefly


class Pipeline:
    """A pipeline that deploys and verifies a made-up artifact in the system."""

    def __init__(self, service: Service, system: str) -> None:
        self._service = service
        self._system = system
        self._open: list[str] = []
        self._deployed: dict[str, str] = {}
        self.artifact = f"tree:{secrets.token_hex(20)}"

    def blockers(self, environment: str) -> list[str]:
        """Return the codes of the blockers that a dry run reports."""
        body = {"artifact": self.artifact, "environment": environment, "dry_run": True}
        promotion = self._service.post(f"{self._system}/promotions", body).expect(200).json
        codes = [blocker["code"] for blocker in promotion["blockers"]]
        assert promotion["decision"] == ("denied" if codes else "granted")
        return codes

    def open(self, environment: str, artifact: str | None = None) -> Answer:
        # By default, a run of GitHub Actions may roll out only the commit that the run's token names.
        revision = self._service.settings.claims.get("sha")
        body = {"environment": environment, "artifact": artifact or self.artifact, "lease_seconds": LEASE_SECONDS}
        answer = self._service.post(f"{self._system}/deployments", {**body, "revision": revision})
        if answer.status == 201:
            self._open.append(answer.json["id"])
        return answer

    def refused(self, environment: str) -> list[str]:
        """Try to deploy, expect a refusal, and return the blockers' codes."""
        answer = self.open(environment)
        assert answer.status == 409, f"{answer}: the gate must deny this deployment: check the gate's rules"
        assert answer.problem == "promotion-denied", f"{answer}: send the problem 'promotion-denied' instead"
        return [blocker["code"] for blocker in answer.json["blockers"]]

    def finish(self, deployment: str, state: str = "succeeded") -> None:
        self._say(deployment, state).expect(201)
        self._open.remove(deployment)

    def deploy(self, environment: str) -> Any:
        deployment = self.open(environment).expect(201).json
        assert deployment["state"] == "in_progress"
        self.finish(deployment["id"])
        self._deployed[environment] = deployment["id"]
        return deployment

    def verify(self, environment: str, outcome: str) -> Any:
        body = {"deployment": self._deployed[environment], "suite": "acceptance", "trigger": "manual"}
        return self._service.post(f"{self._system}/verifications", {**body, "outcome": outcome}).expect(201).json

    def read(self, address: str) -> Any:
        return self._service.get(f"{self._system}{address}").expect(200).json

    def close(self) -> None:
        """Cancel open deployments. A deployment may have ended already, if the answer to its last status was lost."""
        for deployment in self._open:
            self._say(deployment, "cancelled").expect(201, 409)

    def _say(self, deployment: str, state: str) -> Answer:
        return self._service.post(f"{self._system}/deployments/{deployment}/statuses", {"state": state})


@pytest.fixture
def pipeline(service: Service, system: str, idle: None) -> Iterator[Pipeline]:
    pipeline = Pipeline(service, system)
    yield pipeline
    pipeline.close()


def test_the_gate_grants_only_artifacts_that_were_deployed_and_verified_before(pipeline: Pipeline) -> None:
    assert pipeline.refused("preproduction") == ["not-deployed"]

    pipeline.deploy("development")
    assert pipeline.refused("preproduction") == ["not-verified"]

    pipeline.verify("development", "failure")
    assert pipeline.refused("preproduction") == ["verification-failed"]

    pipeline.verify("development", "success")
    assert pipeline.blockers("preproduction") == []
    promoted = pipeline.deploy("preproduction")

    travelled = pipeline.read(f"/artifacts/{pipeline.artifact}")["deployments"]
    assert [each["environment"] for each in travelled] == ["preproduction", "development"]
    assert {each["state"] for each in travelled} == {"succeeded"}
    current = {each["environment"]: each["current"] for each in pipeline.read("/state")["targets"]}
    assert current["preproduction"]["id"] == promoted["id"], (
        "the current deployment of preproduction is not the newest: show the deployment that succeeded last"
    )


def test_a_target_takes_one_deployment_at_a_time(pipeline: Pipeline) -> None:
    holder = pipeline.open("development").expect(201).json

    second = pipeline.open("development", f"tree:{secrets.token_hex(20)}").expect(409)

    assert second.problem == "target-busy"
    assert second.json["holder"]["id"] == holder["id"]


def test_a_finished_deployment_does_not_change(service: Service, system: str, pipeline: Pipeline) -> None:
    deployment = pipeline.deploy("development")

    answer = service.post(f"{system}/deployments/{deployment['id']}/statuses", {"state": "failed"})

    assert (answer.status, answer.problem) == (409, "deployment-final")
    assert pipeline.read(f"/deployments/{deployment['id']}")["state"] == "succeeded"


def test_the_gate_denies_an_artifact_that_was_never_deployed(service: Service, request: pytest.FixtureRequest) -> None:
    if not service.settings.read_only:
        request.getfixturevalue("system")
    address = f"/v1/systems/{service.settings.system}"
    listed = service.get(f"{address}/environments").expect(200, 404)
    environments = listed.json["items"] if listed.status == 200 else []
    if len(environments) < 2:
        pytest.skip(
            f"the system {service.settings.system!r} has fewer than two environments: "
            "run the tests once without READ_ONLY=1"
        )

    body = {"artifact": f"tree:{'0' * 40}", "environment": environments[-1]["name"], "dry_run": True}
    promotion = service.post(f"{address}/promotions", body).expect(200).json

    assert promotion["decision"] == "denied", (
        "the gate grants an artifact that was never deployed: check the gate's rules"
    )
    assert promotion["blockers"][0]["code"] == "not-deployed"
