"""Run the jobs of the workflows for two environments: from a merge to a rollback, with failures on the way.

moto stands in for AWS, and github.py stands in for GitHub. The emulated account runs no functions, so this machine
serves each environment with the code that its alias points to.
"""

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from itertools import combinations
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.rehearsal.github import GitHub, Ran, say
from tests.rehearsal.places import Deployed, Place
from tests.rehearsal.states import identities, states
from tests.support import asked
from tests.support.issuer import serving
from tests.support.page import blocks, sh, started
from tests.support.plans import changes
from tests.support.viewer import NODE, view
from tools.aws.emulator.account import emulated_account, emulated_client
from tools.aws.environment import Target
from tools.aws.routes import Routes
from tools.aws.terraform import missing
from tools.local import emulation, postgres
from tools.local.acceptance.service import Wait
from tools.local.issuer import token

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}"),
    pytest.mark.skipif(NODE is None, reason="the rehearsal needs node on the PATH"),
]

BUCKET = "slipway-artifacts"
EXPIRY_SECONDS = 90
COMMAND_SECONDS = 600
WORKSPACE = "development/fix-42/development.tfstate"
STATES = {"development.tfstate", "preproduction.tfstate", WORKSPACE}
FIX_42 = "ENV=development WORKSPACE=fix-42"

# The commands that record the system slipway and its publishers in a Slipway.
RECORDS = "".join(
    block.text for block in blocks("first-deployment.md") if block.needs is None and "slipway " in block.text
)

HEADER = '"X-Content-Type-Options": "nosniff",'
SOURCE = "chalicelib/rest/respond.py"


class Maintainer:
    """A person who types commands from the docs, in a clone at a commit and with the commit's package."""

    def __init__(self, stage: "Stage", revision: str, environment: str) -> None:
        self.folder = stage.github.checkout(revision, stage.folder / f"maintainer-{environment}-{revision}")
        self._environ = {
            **stage.github.machine(),
            "ARTIFACT_BUCKET": BUCKET,
            "SLIPWAY_URL": stage.registry.url,
            "SLIPWAY_SYSTEM": "slipway",
            "SLIPWAY_TOKEN": token("maintainer", ["slipway"]),
        }
        said = self.run(f".local/venv/bin/python -m tools pipeline artifact --env {environment}")
        assert "reused" in said.split(), said
        self._environ["PACKAGE"] = f".local/artifact/{environment}"

    def run(self, command: str) -> str:
        say(f"a maintainer: {command}")
        return sh(command, self.folder, self._environ, COMMAND_SECONDS)

    def started(self, command: str, until: str) -> AbstractContextManager[str]:
        return started(command, until, self.folder, self._environ)

    def changes(self, target: str) -> dict[str, list[str]]:
        """Return the changes in the last plan of a target."""
        return changes(self.folder, target)


class Stage:
    """All parts of the rehearsal. `registry` is the Slipway that keeps records; `places` are the environments."""

    def __init__(self, folder: Path, github: GitHub, registry: Place, places: dict[str, Deployed], port: int) -> None:
        self.folder = folder
        self.github, self.registry, self.places, self.port = github, registry, places, port
        self._groups = {name: threading.Lock() for name in places}

    def deploy(self, branch: str, cancelled_after: str | None = None) -> tuple[Ran, Ran]:
        """Run both jobs of deploy.yml, as a push to the branch does. Runs on one branch wait for each other."""
        sha = self.github.revision(branch)
        with self._groups[branch]:
            built = self.github.run("deploy", "artifact", branch, sha=sha).succeeded()
            needs = {"artifact": built.outputs}
            return built, self.github.run(
                "deploy", "deploy", branch, sha=sha, needs=needs, cancelled_after=cancelled_after
            )

    def ask(self, path: str) -> Any:
        """Read a path below the system slipway from the registry."""
        answer = requests.get(
            f"{self.registry.url}/v1/systems/slipway/{path}",
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

    def stands(self, workspace: str) -> str | None:
        """Return a message if the workspace is active, None if it is not."""
        active = [item["name"] for item in self.ask("workspaces?state=active")["items"]]
        return f"{workspace} is active" if workspace in active else None

    def sent_to(self, client: str) -> str:
        """Return the workspace to which CloudFront's function sends a client of development."""
        stores = emulated_client("cloudfront", self.port).list_key_value_stores()["KeyValueStoreList"]["Items"]
        [arn] = [store["ARN"] for store in stores if store["Name"] == "slipway-development-routes"]
        routes = Routes(Target("development", emulated=self.port), {"site": {"routes_arn": arn}}).all()
        return view(routes, {"x-slipway-client": client})[0]

    def log(self, state: Any, request_id: str) -> None:
        """Log an error for a request in the log group of a state's API."""
        group = f"/aws/lambda/{state['outputs']['main']['value']['api']['function_names']['api']}"
        message = json.dumps({"level": "ERROR", "message": f"no answer to {request_id}", "request_id": request_id})
        logs = emulated_client("logs", self.port)
        logs.create_log_stream(logGroupName=group, logStreamName=request_id)
        event = {"timestamp": int(time.time() * 1000), "message": message}
        logs.put_log_events(logGroupName=group, logStreamName=request_id, logEvents=[event])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with (
        contextlib.ExitStack() as ended,
        serving() as issuer,
        postgres.throwaway() as database,
        emulated_account() as port,
    ):
        emulated_client("s3", port).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": emulation.REGION}
        )
        registry = Place(tmp_path / "registry", database, "registry", [issuer.settings()])
        ended.callback(registry.stop)
        registry.serve()
        record(registry.url, "development")
        places = {}
        for name in ("development", "preproduction"):
            places[name] = Deployed(
                *(tmp_path / name, database, name, [issuer.settings(audience=f"slipway-{name}")]),
                environment=name,
                port=port,
                bucket=BUCKET,
                when_first_served=lambda url, name=name: record(url, name),
            )
            ended.callback(places[name].stop)
        github = GitHub(tmp_path, issuer, port)
        github.variables = {
            "SLIPWAY_URL": registry.url,
            "SLIPWAY_AUDIENCE": "slipway",
            "ARTIFACT_BUCKET": BUCKET,
            "AWS_REGION": emulation.REGION,
        }
        for name, place in places.items():
            variables = {"URL": place.url, "AUDIENCE": f"slipway-{name}"}
            github.environments |= {name: variables, f"{name}-verify": variables}
        github.overrides = {"SITE": ""}  # no CDN is in front of these services
        github.after_step = lambda: [place.follow() for place in places.values()]
        yield Stage(tmp_path, github, registry, places, port)
    assert [process.pid for process in psutil.process_iter() if is_below(process, tmp_path)] == []


def is_below(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return Path(process.cwd()).is_relative_to(folder)
    return False


def record(url: str, environment: str) -> None:
    """Record the system slipway with an environment in a Slipway, as docs/first-deployment.md does."""
    script = RECORDS.replace("name=development ", f"name={environment} ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"URL": url, "TOKEN": token("admin"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_from_a_merge_to_a_rollback(stage: Stage) -> None:
    github = stage.github
    say("\nDeploy the first artifact to development")
    first = github.commit("development", "Say hello", SOURCE, '"""', '"""Hello. ', count=1)
    built, deployed = stage.deploy("development")
    deployed.succeeded()
    artifact = github.tree(first)
    assert built.outputs["artifact"] == artifact == stage.current("development")
    assert "built" in built.said("Find or build the package of this tree").split()
    assert stage.verifications("development") == ["success"]

    say("\nAt the same time, promote the artifact, use a debug workspace, and deploy a fault")
    merge = github.merge("development", "preproduction")
    with ThreadPoolExecutor(3) as lanes:
        promoted = lanes.submit(promote, stage, first, merge, built)
        debugged = lanes.submit(debug, stage, first, promoted)
        developed = lanes.submit(develop, stage, artifact, promoted)
        for lane in as_completed((promoted, debugged, developed)):
            if (failure := lane.exception()) is not None:
                say(f"\nThis failed; the others still finish:\n{failure!r}")
                raise failure

    say("\nCheck that the workspace is gone and that the environments have not changed")
    with ThreadPoolExecutor(2) as lanes:
        for checked in [
            lanes.submit(leave_preproduction, stage, merge),
            lanes.submit(leave_development, stage, built),
        ]:
            checked.result()
    say("\nThe rehearsal passed")


def promote(stage: Stage, first: str, merge: str, built: Ran) -> None:
    """Deploy the same package to preproduction, from a merge commit."""
    again, deployed = stage.deploy("preproduction")
    deployed.succeeded()
    assert merge != first
    assert again.outputs == built.outputs
    assert "reused" in again.said("Find or build the package of this tree").split()
    assert again.outcome("Attest where the package was built") == "skipped"
    [there], here = stage.deployments("preproduction"), stage.deployments("development")[0]
    assert (there["revision"], here["revision"]) == (merge, first)
    assert there["artifact"] == here["artifact"]
    assert there["detail"] == here["detail"] == f"package {built.outputs['digest']}"
    assert stage.places["preproduction"].digest() == built.outputs["digest"].removeprefix("sha256:")
    assert stage.verifications("preproduction") == ["success"]


def develop(stage: Stage, artifact: str, promoted: "Future[None]") -> None:
    """Roll back a deployment that fails its acceptance tests, and refuse to promote an unverified artifact."""
    github = stage.github
    github.commit("development", "Remove a header", SOURCE, HEADER, "")
    _, deployed = stage.deploy("development")
    assert "X-Content-Type-Options" in deployed.failed_at("Run the acceptance tests")
    assert deployed.outcome("Move the alias back") == "success"
    assert [(each["kind"], each["state"]) for each in stage.deployments("development")] == [
        ("rollout", "succeeded"),
        ("rollout", "succeeded"),
        ("rollback", "succeeded"),
    ]
    assert stage.verifications("development") == ["success", "failure"]
    assert stage.current("development") == artifact

    github.revert("development")
    mended = github.commit("development", "Say hello again", SOURCE, '"""Hello. ', '"""Hello again. ', count=1)
    _, deployed = stage.deploy("development", cancelled_after="Record how the deployment ended")
    assert deployed.outcome("Run the acceptance tests") == "skipped"
    assert stage.current("development") == github.tree(mended)
    promoted.result()
    github.merge("development", "preproduction")
    refused = github.run("deploy", "artifact", "preproduction")
    assert "not-verified" in refused.failed_at("Check the promotion gate")
    assert stage.current("preproduction") == artifact
    verify = {"matrix": {"environment": "development"}}
    github.run("verify", "verify", "development", "workflow_dispatch", **verify).succeeded()
    github.run("deploy", "artifact", "preproduction").succeeded()


def debug(stage: Stage, first: str, promoted: "Future[None]") -> None:
    """Route one client, and no other, to a copy of development until the copy expires."""
    github = stage.github
    workspace = {"environment": "development", "workspace": "fix-42", "purpose": "debug", "database": "clone"}
    workspace |= {"reason": "Jane's orders vanish", "expires": "8h", "ref": first}
    dispatched = ("workspace", "workspace", "development", "workflow_dispatch")
    github.run(*dispatched, inputs={**workspace, "action": "create", "client": "jane"}).succeeded()
    assert (stage.sent_to("jane"), stage.sent_to("joe")) == ("fix-42", "default")
    [known] = stage.ask("workspaces")["items"]
    assert (known["name"], known["state"], known["database"]) == ("fix-42", "active", "clone")
    assert re.match(r"https://\w+\.execute-api\.", known["base_url"])

    maintainer = Maintainer(stage, first, "development")
    maintainer.run(f"make unroute {FIX_42} CLIENT=jane")
    assert stage.sent_to("jane") == "default"
    maintainer.run(f"make route {FIX_42} CLIENT=jane UNTIL=2h")
    assert stage.sent_to("jane") == "fix-42"
    promoted.result()
    made = states(stage.port)
    share_nothing(made)
    stage.log(made[WORKSPACE], "4a0b")
    stage.log(made[WORKSPACE], "5f1c")
    assert "no answer to 4a0b" in maintainer.run(f"make logs {FIX_42} SINCE=10m")
    with maintainer.started(f"make logs {FIX_42} REQUEST_ID=5f1c FOLLOW=1", until="no answer to 5f1c") as said:
        assert "4a0b" not in said

    github.run(*dispatched, inputs={**workspace, "action": "extend", "expires": "1m"}).succeeded()
    # `make apply` keeps the purpose and the database that the workspace was made with.
    maintainer.run(f"make apply {FIX_42}")
    assert maintainer.changes("development-fix-42") == {}
    assert Wait(EXPIRY_SECONDS, say)("the workspace's end", lambda: stage.stands("fix-42")) is None
    assert stage.sent_to("jane") == "default"
    log = stage.folder / "log-of-terraform"
    reaped = github.run(
        *("reap", "reap", "development", "schedule"),
        matrix={"environment": "development"},
        environ={"TF_LOG_PROVIDER": "DEBUG", "TF_LOG_PATH": str(log)},
    ).succeeded()
    assert "development-fix-42 is destroyed" in reaped.said("Destroy expired workspaces, and report orphans")
    assert stage.ask("workspaces")["items"][0]["state"] == "destroyed"
    assert states(stage.port).keys() == STATES - {WORKSPACE}
    # The role of the reaper allows the AWS calls that destroyed the workspace.
    took = asked.actions(log)
    assert {"rds:DeleteDBCluster", "wafv2:DeleteWebACL"} <= took
    assert took <= asked.listed("destroying.tf") | asked.listed("reading.tf")


def share_nothing(made: dict[str, Any]) -> None:
    """Require that no id, name or ARN is in two states."""
    assert made.keys() == STATES
    known = {key: identities(state) for key, state in made.items()}
    assert all(len(each) > 100 for each in known.values())
    for one, other in combinations(known, 2):
        assert known[one] & known[other] == set(), f"{one} and {other} share a resource"


def leave_preproduction(stage: Stage, merge: str) -> None:
    """Apply preproduction again, and require that nothing changes."""
    maintainer = Maintainer(stage, merge, "preproduction")
    digest = stage.places["preproduction"].digest()

    maintainer.run("make apply ENV=preproduction")

    assert maintainer.changes("preproduction") == {}
    assert stage.places["preproduction"].digest() == digest


def leave_development(stage: Stage, built: Ran) -> None:
    """Plan development again, require that nothing changes, and roll back by hand."""
    maintainer = Maintainer(stage, stage.github.revision("development"), "development")
    digest = stage.places["development"].digest()

    maintainer.run("make plan ENV=development PACKAGE=.local/artifact/development")

    assert maintainer.changes("development") == {}
    maintainer.run("make apply ENV=development PLAN=1")
    maintainer.run(f"make apply ENV=development EMULATED={stage.port}")
    assert stage.places["development"].digest() == digest
    maintainer.run("make rollback ENV=development")
    assert stage.places["development"].digest() == built.outputs["digest"].removeprefix("sha256:")
