"""Run the jobs of the workflows for two environments without a registry: from a merge to a rollback.

Notes in the artifact bucket keep the order of promotion, and a tag keeps the end of a workspace.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from chalicelib import NAME
from tests.rehearsal import steps
from tests.rehearsal.github import Ran, say
from tests.rehearsal.stage import BUCKET, FIX_42, NEEDS, STATES, WORKSPACE, Maintainer, Stage, finished, staged
from tests.rehearsal.states import identities, states
from tools.aws.emulator.account import emulated_client
from tools.local.acceptance.service import Wait

pytestmark = [pytest.mark.slow, *NEEDS]

EXPIRY_SECONDS = 90


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def test_from_a_merge_to_a_rollback(stage: Stage) -> None:
    first, built = steps.deploy_first(stage)
    assert notes(stage, first) == {"development"}
    stage.github.overrides["LEFT_OUT"] += " policy"  # takes long, and the first deployment showed that it works

    say("\nAt the same time, promote the artifact, use a debug workspace, and deploy a fault")
    merge = stage.github.merge("development", "preproduction")
    with ThreadPoolExecutor(3) as lanes:
        promoted = lanes.submit(promote, stage, first, merge, built)
        debugged = lanes.submit(debug, stage, first, promoted)
        developed = lanes.submit(develop, stage, promoted)
        finished(promoted, debugged, developed)

    say("\nCheck that the workspace is gone and that the environments have not changed")
    with ThreadPoolExecutor(2) as lanes:
        finished(lanes.submit(leave_preproduction, stage, merge), lanes.submit(leave_development, stage, built))
    stage.judge_calls()
    say("\nThe rehearsal passed")


def promote(stage: Stage, first: str, merge: str, built: Ran) -> None:
    """Promote the artifact, which is verified in development."""
    steps.promote(stage, first, merge, built)
    assert notes(stage, first) == {"development", "preproduction"}


def develop(stage: Stage, promoted: "Future[None]") -> None:
    """Refuse to promote an artifact that failed its acceptance tests, or that was not tested at all."""
    steps.deploy_a_fault(stage)
    promoted.result()
    steps.refuse_to_promote(stage, "may not enter preproduction yet")

    fixed = steps.fix(stage)
    assert notes(stage, fixed) == set()
    steps.refuse_to_promote(stage, "may not enter preproduction yet")
    _, deployed = stage.deploy("development")
    deployed.succeeded()
    stage.github.run("deploy", "artifact", "preproduction").succeeded()
    stage.verify()


def debug(stage: Stage, first: str, promoted: "Future[None]") -> None:
    """Route one client, and no other, to a copy of development until the copy expires."""
    stage.github.branch("debug/fix-42", first)
    stage.manage("create", ref="debug/fix-42")
    maintainer = Maintainer(stage, first, "development", "on-call")
    maintainer.run(f"make route {FIX_42} CLIENT=jane UNTIL=2h")
    assert (stage.sent_to("jane"), stage.sent_to("joe")) == ("fix-42", "default")

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
    # `make apply` keeps the purpose, the database and the end that the workspace was made with.
    end = end_of_the_workspace(stage)
    maintainer.run(f"make apply {FIX_42}")
    assert maintainer.changes("development-d-fix-42") == {}
    assert end_of_the_workspace(stage) == end

    stage.manage("extend", expires="1m")
    assert Wait(EXPIRY_SECONDS, say)("the workspace's end", lambda: stands(stage)) is None
    assert stage.sent_to("jane") == "default"
    reaped = stage.reap()
    assert "development-d-fix-42 is destroyed" in reaped.said("Destroy expired workspaces, and report orphans")
    assert states(stage.port).keys() == STATES - {WORKSPACE}


def notes(stage: Stage, revision: str) -> set[str]:
    """Return the environments in which a commit's artifact is noted as verified."""
    prefix = f"{stage.github.tree(revision).removeprefix('tree:')}/deployed/"
    listed = emulated_client("s3", stage.port).list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix).removesuffix(".json") for item in listed}


def end_of_the_workspace(stage: Stage) -> datetime:
    function = emulated_client("lambda", stage.port).get_function(FunctionName=f"{NAME}-development-d-fix-42-api")
    return datetime.fromisoformat(function["Tags"]["expires"])


def stands(stage: Stage) -> str | None:
    """Return a message if the workspace is active, None if it is not."""
    return "fix-42 is active" if datetime.now(UTC) < end_of_the_workspace(stage) else None


def share_nothing(made: dict[str, Any]) -> None:
    """Require that no two states have an id, a name or an ARN in common."""
    assert made.keys() == STATES
    known = {key: identities(state) for key, state in made.items()}
    assert all(len(each) > 100 for each in known.values())
    for one, other in combinations(known, 2):
        assert known[one] & known[other] == set(), (
            f"{one} and {other} share a resource: put the target's name in the resource's name"
        )


def leave_preproduction(stage: Stage, merge: str) -> None:
    """Apply preproduction again, and require that no resource changes."""
    maintainer = Maintainer(stage, merge, "preproduction", "administrator")
    digest = stage.places["preproduction"].digest()

    maintainer.run(f"make apply ENV=preproduction EMULATED={stage.port}")

    assert maintainer.changes("preproduction") == {}
    assert stage.places["preproduction"].digest() == digest


def leave_development(stage: Stage, built: Ran) -> None:
    """Plan development again, require that no resource would change, and roll back by hand."""
    maintainer = Maintainer(stage, stage.github.revision("development"), "development", "administrator")
    digest = stage.places["development"].digest()

    maintainer.run("make plan ENV=development PACKAGE=.local/artifact/development")

    assert maintainer.changes("development") == {}
    maintainer.run("make apply ENV=development PLAN=1")
    assert stage.places["development"].digest() == digest
    maintainer.run("make rollback ENV=development")
    assert stage.places["development"].digest() == built.outputs["digest"].removeprefix("sha256:")
