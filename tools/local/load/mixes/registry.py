"""The busiest hour of azul, a real project, in 500 systems at once, while people watch.

In its busiest hour, azul was deployed four times (tests/data/registry/azul). The requests of a deployment, and of a
verification, are those of tools/slipway_client. Nobody recorded how people look at it, so their numbers are a guess.
"""

import random
import secrets
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tools.local.load.journeys import Caller, Journey
from tools.local.registry.replay import ENVIRONMENTS, Deployment, read_history, with_commits

SYSTEMS = 500
# People with the dashboard open, which asks for changes every 10 seconds, and the share of deployments that somebody
# looks at.
WATCHERS = 25
LOOKED_AT = 0.25

_DEPLOYMENTS, _GRAPH = read_history()
# The numbers of commits that deployments brought, without those that brought a whole history.
_COMMITS = [len(commits) for _, commits in with_commits(_DEPLOYMENTS, _GRAPH) if len(commits) < 500]


def busiest_hour(deployments: Iterable[Deployment]) -> int:
    """Return the most deployments that began within one hour."""
    times = sorted(each.deployed_at for each in deployments)
    return max(bisect_right(times, at + timedelta(hours=1)) - first for first, at in enumerate(times))


def deploy(caller: Caller) -> None:
    """Deploy an artifact to development and verify it, and the next time promote it to preproduction.

    Cancel a deployment that a run left open when it was killed.
    """
    base = f"/v1/systems/{caller.system}"
    state = caller.get(f"{base}/state").json
    for target in state["targets"]:
        if (last := target["last_attempt"]) and last["state"] == "in_progress":
            caller.post(f"{base}/deployments/{last['id']}/statuses", {"state": "cancelled"})
    promoted = caller.memory.pop("verified", None)
    environment = "preproduction" if promoted else "development"
    artifact = promoted or f"tree:{secrets.token_hex(20)}"
    caller.post(f"{base}/promotions", {"environment": environment, "artifact": artifact, "dry_run": True})
    opened = caller.post(f"{base}/deployments", _opening(environment, artifact)).json
    caller.post(f"{base}/deployments/{opened['id']}/statuses", {"state": "succeeded"})
    _verify(caller, opened["id"], environment, "deployment")
    if not promoted:
        caller.memory["verified"] = artifact


def verify_again(caller: Caller) -> None:
    """Verify what runs in development, as a daily workflow does. Verify nothing if nothing runs there."""
    state = caller.get(f"/v1/systems/{caller.system}/state").json
    for target in state["targets"]:
        if target["environment"] == "development" and target["workspace"] == "default" and target["current"]:
            _verify(caller, target["current"]["id"], "development", "schedule")


def watch(caller: Caller) -> None:
    """Ask if the overview has changed."""
    caller.memory["etag"] = caller.get("/v1/overview?limit=200", caller.memory.get("etag", "")).etag


def look(caller: Caller) -> None:
    """Open the page of a system."""
    base = f"/v1/systems/{caller.system}"
    for path in (
        "",
        "/state",
        "/environments",
        "/deployments?workspace=default&limit=100",
        "/holds?state=active&limit=50",
        "/approvals?limit=20",
        "/environments/preproduction/changes",
    ):
        caller.get(f"{base}{path}")


def _opening(environment: str, artifact: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    count = random.choice(_COMMITS)  # noqa: S311 (made-up commits, no secrets)
    return {
        "environment": environment,
        "artifact": artifact,
        "revision": secrets.token_hex(20),
        "commits": [{"sha": secrets.token_hex(20), "authored_at": now} for _ in range(count)],
        "run_url": "https://github.com/example/load/actions/runs/1",
        "lease_seconds": 60,
    }


def _verify(caller: Caller, deployment: str, environment: str, trigger: str) -> None:
    base = f"/v1/systems/{caller.system}"
    caller.get(f"{base}/deployments/{deployment}")
    caller.get(f"{base}/deployments?environment={environment}&workspace=default&limit=1")
    body = {"deployment": deployment, "suite": "acceptance", "trigger": trigger, "outcome": "success", "passed": 120}
    caller.post(f"{base}/verifications", body)


_DEPLOYS = SYSTEMS * busiest_hour(_DEPLOYMENTS)
JOURNEYS = [
    Journey("deploy", _DEPLOYS, 7, "pipeline", deploy, alone=True),
    Journey("verify again", SYSTEMS * len(ENVIRONMENTS) / 24, 4, "pipeline", verify_again),
    Journey("watch", WATCHERS * 360, 1, "viewer", watch),
    Journey("look", _DEPLOYS * LOOKED_AT, 7, "viewer", look),
]
