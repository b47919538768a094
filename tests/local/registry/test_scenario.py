"""Use the running service over HTTP, as a user does, with tokens from `make token`."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.service.deployments.records import an_artifact
from tests.support.caller import Caller
from tests.support.checkout import Checkout, Run
from tests.support.page import script, sh
from tools.local.registry import replay

PATH = "/v1/systems/shop"


def test_an_artifact_goes_from_development_to_production_and_back(as_: Callable[..., Caller]) -> None:
    admin = as_("admin")
    pipeline = as_("pipeline", SYSTEM="shop")
    maintainer = as_("maintainer", SYSTEM="shop")
    first, second = an_artifact("first"), an_artifact("second")

    def environment(name: str, rank: int, account: str, **fields: Any) -> tuple[int, Any]:
        body = {"name": name, "rank": rank, "aws_account_id": account, **fields}
        return maintainer("POST", f"{PATH}/environments", body)

    def opened(artifact: str, target: str, caller: Caller = pipeline, **fields: Any) -> tuple[int, Any]:
        return caller("POST", f"{PATH}/deployments", {"artifact": artifact, "environment": target, **fields})

    latest = {}

    def finished(deployment: Any, state: str = "succeeded") -> int:
        latest[deployment["environment"]] = deployment["id"]
        return pipeline("POST", f"{PATH}/deployments/{deployment['id']}/statuses", {"state": state})[0]

    def deployed(artifact: str, target: str, state: str = "succeeded", **fields: Any) -> None:
        status, deployment = opened(artifact, target, **fields)
        assert status == 201, deployment
        assert finished(deployment, state) == 201

    def verified(target: str, outcome: str = "success", suite: str = "acceptance") -> None:
        body = {"deployment": latest[target], "suite": suite, "trigger": "deployment", "outcome": outcome}
        assert pipeline("POST", f"{PATH}/verifications", body)[0] == 201

    def blockers(artifact: str, target: str) -> list[str]:
        body = {"artifact": artifact, "environment": target, "dry_run": True}
        status, promotion = pipeline("POST", f"{PATH}/promotions", body)
        assert status == 200
        assert promotion["decision"] == ("denied" if promotion["blockers"] else "granted")
        return [blocker["code"] for blocker in promotion["blockers"]]

    assert admin("POST", "/v1/systems", {"key": "shop", "name": "Shop"})[0] == 201
    assert environment("development", 1, "111111111111")[0] == 201
    assert environment("preproduction", 2, "111111111111")[0] == 201
    required = {"production": True, "required_suites": ["acceptance", "load"]}

    # One AWS account can't hold both production and other environments.
    status, problem = environment("production", 3, "111111111111", **required)
    assert (status, problem["type"]) == (409, "/problems/account-holds-one-class")
    assert environment("production", 3, "222222222222", **required)[0] == 201

    # The last verification since the last deployment decides. An outcome `error` does not count.
    deployed(first, "development")
    assert blockers(first, "preproduction") == ["not-verified"]
    status, problem = opened(first, "preproduction")
    assert (status, [each["code"] for each in problem["blockers"]]) == (409, ["not-verified"])
    verified("development", "error")
    assert blockers(first, "preproduction") == ["not-verified"]
    verified("development")
    assert blockers(first, "preproduction") == []
    verified("development", "failure")
    assert blockers(first, "preproduction") == ["verification-failed"]
    deployed(first, "development")
    assert blockers(first, "preproduction") == ["not-verified"]
    verified("development")

    # No environment and no required suite can be skipped.
    assert blockers(first, "production") == ["not-deployed"]
    deployed(first, "preproduction")
    verified("preproduction")
    assert blockers(first, "production") == ["not-verified"]
    verified("preproduction", suite="load")
    deployed(first, "production")
    verified("production")

    # An override needs a maintainer and a reason.
    status, problem = opened(second, "production", maintainer, override_reason="")
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/override_reason")
    assert opened(second, "production", override_reason="I want to deploy now")[0] == 403
    status, hotfix = opened(second, "production", maintainer, kind="hotfix", override_reason="The shop is down")
    assert (status, hotfix["override_reason"]) == (201, "The shop is down")

    # A target takes one deployment at a time.
    status, problem = opened(first, "production", kind="rollout")
    assert (status, problem["holder"]["id"]) == (409, hotfix["id"])
    assert finished(hotfix) == 201
    verified("production", "failure")

    # The hotfix fails its verification. Production can roll back to the artifact before, but not to the hotfix again.
    _, state = pipeline("GET", f"{PATH}/state")
    production = state["targets"][2]
    assert (production["environment"], production["current"]["id"]) == ("production", hotfix["id"])
    assert [each["outcome"] for each in production["verifications"]] == ["failure"]
    deployed(first, "production", kind="rollback")
    status, problem = opened(second, "production", kind="rollback")
    assert (status, problem["type"]) == (422, "/problems/rollback-refused")

    # tests/service tests expired leases, because tests can move records into the past there.
    _, artifact = pipeline("GET", f"{PATH}/artifacts/{first}")
    assert [each["environment"] for each in reversed(artifact["deployments"])] == [
        "development",
        "development",
        "preproduction",
        "production",
        "production",
    ]


def test_the_real_history_is_replayed_once(running: tuple[Run, Checkout], as_: Callable[..., Caller]) -> None:
    run, checkout = running
    environ = {**checkout.environment, "URL": run.url, "TOKEN": run.token}

    for _ in range(2):
        assert re.search(r"\b197\b", sh("make replay", environ=environ))

    viewer = as_("viewer")
    seen: list[str] = []
    cursor = ""
    while True:
        _, page = viewer("GET", f"{replay.ADDRESS}/deployments?limit=100{cursor}")
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 197

    commands = script("metrics.md", "How to ask", replacing={"http://127.0.0.1:8000": run.url})
    asked = sh(commands, cwd=checkout.folder, environ=checkout.environment)
    [last_30_days, year, over_systems] = map(json.loads, asked.splitlines())
    assert last_30_days["environment"] == "prod"
    assert [len(year["periods"]), year["deployment_frequency"]["deployments"]] == [12, 33]
    assert "azul" in [each["system"] for each in over_systems["items"]]
