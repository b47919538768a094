"""All parts of a rehearsal: an emulated account, two environments, GitHub, and a maintainer who types commands.

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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, as_completed
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from chalicelib import NAME
from tests.rehearsal import calls
from tests.rehearsal.github import GitHub, Ran, say
from tests.rehearsal.judgement import judge
from tests.rehearsal.places import Deployed
from tests.support import gh, rendered
from tests.support.issuer import IssuerServer, serving
from tests.support.page import blocks, script, sh, started
from tests.support.plans import changes
from tests.support.viewer import NODE, view
from tools.aws.emulator.account import emulated_account, emulated_client
from tools.aws.routes import Routes
from tools.aws.target import Target
from tools.aws.terraform import missing
from tools.checks import npm
from tools.local import emulation, postgres
from tools.local.issuer import token

NEEDS = [
    pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}"),
    pytest.mark.skipif(NODE is None, reason="the rehearsal needs node on the PATH"),
    pytest.mark.skipif(npm.missing() is not None, reason=f"infrastructure: {npm.missing()}"),
]

PAGE = "first-deployment.md"
BUCKET = f"{NAME}-artifacts-{emulation.ACCOUNT}"
COMMAND_SECONDS = 600
CALLS = "calls"
# The roles whose calls every rehearsal has.
ROLES = {f"{NAME}-account-{each}" for each in ("artifacts", "debug-development", "on-call", "reap-debug-development")}
ROLES |= {f"{NAME}-account-apply-{each}" for each in ("development", "preproduction")}
WORKSPACE = "development/d-fix-42/development.tfstate"
STATES = {"development.tfstate", "preproduction.tfstate", WORKSPACE}
FIX_42 = "ENV=development WORKSPACE=fix-42"
DEBUG = {
    "environment": "development",
    "workspace": "fix-42",
    "purpose": "debug",
    "database": "clone",
    "reason": "Jane's orders vanish",
    "expires": "8h",
}

# The commands that record systems and publishers in a registry, so that the acceptance tests may write.
_RECORDS = "".join(block.text for block in blocks(PAGE) if block.needs is None and "publisher " in block.text)


class Stage:
    """The parts of a rehearsal. `places` are the environments."""

    def __init__(
        self,
        folder: Path,
        github: GitHub,
        places: dict[str, Deployed],
        *,
        port: int,
        database: str,
        issuer: IssuerServer,
    ) -> None:
        self.folder = folder
        self.github, self.places = github, places
        self.port, self.database, self.issuer = port, database, issuer
        self._groups = {name: threading.Lock() for name in places}

    def deploy(self, branch: str, cancelled_after: str | None = None) -> tuple[Ran, Ran]:
        """Run the jobs of deploy.yml, as a push to the branch does. Runs on one branch wait for each other."""
        sha = self.github.revision(branch)
        with self._groups[branch]:
            newest = self.github.run("deploy", "newest", branch, sha=sha).succeeded()
            assert newest.outputs == {"newest": "true"}
            built = self.github.run("deploy", "artifact", branch, sha=sha).succeeded()
            needs = {"artifact": built.outputs}
            return built, self.github.run(
                "deploy", "deploy", branch, sha=sha, needs=needs, cancelled_after=cancelled_after
            )

    def manage(self, action: str, **inputs: str) -> Ran:
        """Run the jobs of workspace.yml for the debug workspace of development."""
        given = {**DEBUG, "action": action, **inputs}
        started: Any = ("development", "workflow_dispatch")
        chosen = self.github.run("workspace", "ref", *started, inputs=given).succeeded()
        needs = {"ref": chosen.outputs}
        return self.github.run("workspace", "workspace", *started, inputs=given, needs=needs).succeeded()

    def reap(self) -> Ran:
        """Run the job of reap.yml for the debug workspaces of development."""
        matrix = {"environment": "development", "purpose": "debug"}
        return self.github.run("reap", "reap", "development", "schedule", matrix=matrix).succeeded()

    def verify(self, after: Mapping[str, Callable[[], None]] | None = None) -> Ran:
        """Run the job of verify.yml for development."""
        started: Any = ("development", "workflow_dispatch")
        matrix = {"environment": "development"}
        return self.github.run("verify", "verify", *started, matrix=matrix, after=after).succeeded()

    def sent_to(self, client: str) -> str:
        """Return the workspace to which CloudFront's function sends a client of development."""
        stores = emulated_client("cloudfront", self.port).list_key_value_stores()["KeyValueStoreList"]["Items"]
        [arn] = [store["ARN"] for store in stores if store["Name"] == f"{NAME}-development-routes"]
        routes = Routes(Target("development", emulated=self.port), {"site": {"routes_arn": arn}}).entries()
        return view(routes, {"x-client": client})[0]

    def has_data_api(self, target: str) -> bool:
        """True if the function `bootstrap` can call the Data API of a target's own cluster."""
        clusters = emulated_client("rds", self.port).describe_db_clusters(DBClusterIdentifier=f"{NAME}-{target}")
        return bool(clusters["DBClusters"][0]["HttpEndpointEnabled"])

    def judge_calls(self) -> None:
        """Require that AWS would have allowed each call to the role that made it."""
        say("\nJudge the calls to AWS")
        made = calls.read(self.folder / CALLS)
        assert {call.role for call in made} >= ROLES
        assert judge(made, rendered.policies()) == []

    def log(self, state: Any, request_id: str) -> None:
        """Log an error for a request in the log group of a state's API."""
        group = f"/aws/lambda/{state['outputs']['main']['value']['api']['function_names']['api']}"
        message = json.dumps({"level": "ERROR", "message": f"no answer to {request_id}", "request_id": request_id})
        logs = emulated_client("logs", self.port)
        logs.create_log_stream(logGroupName=group, logStreamName=request_id)
        event = {"timestamp": int(time.time() * 1000), "message": message}
        logs.put_log_events(logGroupName=group, logStreamName=request_id, logEvents=[event])


class Maintainer:
    """A person who types commands from the docs, in a clone at a commit and with the commit's package.

    `role` is a role of infra/account/people.tf.
    """

    def __init__(self, stage: Stage, revision: str, environment: str, role: str) -> None:
        self._role = role
        self.folder = stage.github.checkout(revision, stage.folder / f"maintainer-{environment}-{revision}")
        self._environ = {**stage.github.machine(), "ARTIFACT_BUCKET": BUCKET}
        # To package takes long, and gives the same package as the stored one.
        said = sh(f".local/venv/bin/python -m tools pipeline artifact --env {environment}", self.folder, self._environ)
        assert "reused" in said.split(), said
        self._environ["PACKAGE"] = f".local/artifact/{environment}"

    def run(self, command: str) -> str:
        say(f"a maintainer: {command}")
        return sh(command, self.folder, self._signed_in(command), COMMAND_SECONDS)

    def started(self, command: str, until: str) -> AbstractContextManager[str]:
        return started(command, until, self.folder, self._signed_in(command))

    def changes(self, target: str) -> dict[str, list[str]]:
        """Return the changes in the last plan of a target."""
        return changes(self.folder, target)

    def _signed_in(self, command: str) -> dict[str, str]:
        key = emulation.access_key(f"{NAME}-account-{self._role}", re.findall(r"\bmake .*", command)[0])
        return {**self._environ, "AWS_ACCESS_KEY_ID": key}


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Yield a stage without a registry. In the end, require that no process is left."""
    with (
        contextlib.ExitStack() as ended,
        serving() as issuer,
        postgres.throwaway() as database,
        emulated_account(folder / CALLS) as port,
    ):
        emulated_client("s3", port).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": emulation.REGION}
        )
        places = {}
        for name in ("development", "preproduction"):
            places[name] = Deployed(
                *(folder / name, database, name, [issuer.settings(audience=f"{NAME}-{name}")]),
                environment=name,
                port=port,
                bucket=BUCKET,
                when_first_served=lambda url, name=name: record(url, name),
            )
            ended.callback(places[name].stop)
        github = GitHub(folder, issuer, port)
        follow_page(github, "3.", folder / "gh")
        for name, place in places.items():
            its = {"name=development": f"name={name}", "https://d111111abcdef8.cloudfront.net": place.url}
            follow_page(github, "4.", folder / "gh", its)
        assert (github.variables["ARTIFACT_BUCKET"], github.variables["AWS_REGION"]) == (BUCKET, emulation.REGION)
        # No CDN is in front of these services. They share this machine, so a load would say nothing about them.
        github.overrides = {"SITE": "", "LEFT_OUT": "load"}
        github.after_step = lambda: [place.follow() for place in places.values()]
        yield Stage(folder, github, places, port=port, database=database, issuer=issuer)
    assert [process.pid for process in psutil.process_iter() if _is_below(process, folder)] == []


def follow_page(
    github: GitHub, section: str, folder: Path, replacing: Mapping[str, str] | None = None, **environ: str
) -> None:
    """Set the variables on GitHub that a section of docs/first-deployment.md sets, and no others."""
    said = gh.variables(gh.calls(script(PAGE, section, needs="GitHub", replacing=replacing), folder, environ))
    github.variables |= said.repository
    for name, variables in said.environments.items():
        github.environments.setdefault(name, {}).update(variables)


def record(url: str, environment: str) -> None:
    """Record systems, an environment and publishers in a registry, as docs/first-deployment.md does."""
    commands = _RECORDS.replace("name=development ", f"name={environment} ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env={"URL": url, "TOKEN": token("admin"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def finished(*running: "Future[None]") -> None:
    """Wait for lanes of the rehearsal. Show a failure at once, and raise it when the other lanes have finished."""
    for lane in as_completed(running):
        if (failure := lane.exception()) is not None:
            say(f"\nThis failed; the others still finish:\n{failure!r}")
            raise failure


def _is_below(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return Path(process.cwd()).is_relative_to(folder)
    return False
