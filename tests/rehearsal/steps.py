"""The steps of a rehearsal that are the same with and without a registry."""

from tests.rehearsal.github import Ran, say
from tests.rehearsal.stage import Stage

_HEADER = '"X-Content-Type-Options": "nosniff",'
_SOURCE = "chalicelib/rest/respond.py"


def deploy_first(stage: Stage) -> tuple[str, Ran]:
    """Deploy a first artifact to development; return its commit and the job that built it."""
    say("\nDeploy the first artifact to development")
    first = stage.github.commit("development", "Say hello", _SOURCE, '"""', '"""Hello. ', count=1)
    built, deployed = stage.deploy("development")
    deployed.succeeded()
    assert built.outputs["artifact"] == stage.github.tree(first)
    assert "built" in built.said("Find or build the package of this tree").split()
    return first, built


def promote(stage: Stage, first: str, merge: str, built: Ran) -> None:
    """Deploy the same package to preproduction, from a merge commit."""
    again, deployed = stage.deploy("preproduction")
    deployed.succeeded()
    assert merge != first
    assert again.outputs == built.outputs
    assert "reused" in again.said("Find or build the package of this tree").split()
    assert again.outcome("Attest where the package was built") == "skipped"
    assert stage.places["preproduction"].digest() == built.outputs["digest"].removeprefix("sha256:")


def deploy_a_fault(stage: Stage) -> None:
    """Deploy an artifact and a page to development that fail their tests, and require that both are rolled back."""
    place = stage.places["development"]
    before = (place.digest(), place.page())
    stage.github.commit("development", "Change the page", "web/css/base.css", "/*", "/* Changed.", count=1)
    stage.github.commit("development", "Remove a header", _SOURCE, _HEADER, "")
    _, deployed = stage.deploy("development")
    assert "X-Content-Type-Options" in deployed.failed_at("Run the acceptance tests")
    assert deployed.outcome("Move the alias back") == "success"
    assert (place.digest(), place.page()) == before


def fix(stage: Stage) -> str:
    """Commit a fix of the fault to development; return the commit."""
    stage.github.revert("development")
    return stage.github.commit("development", "Say hello again", _SOURCE, '"""Hello. ', '"""Hello again. ', count=1)


def refuse_to_promote(stage: Stage, reason: str) -> None:
    """Merge development into preproduction, and require that the gate refuses the artifact for a reason."""
    stage.github.merge("development", "preproduction")
    refused = stage.github.run("deploy", "artifact", "preproduction")
    assert reason in refused.failed_at("Check the promotion gate")
