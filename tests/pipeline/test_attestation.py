"""Only a package that the deploy workflow built on an environment's branch from this tree is deployed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.workflows import workflow
from tools.checkout import ROOT, ToolError, UsageError
from tools.pipeline import attestation
from tools.pipeline.artifact import FOLDER, PACKAGE

OURS = {"GITHUB_REPOSITORY": "acme/service"}
ADDRESS = "https://github.com/acme/service"
WORKFLOW = f"{ADDRESS}/.github/workflows/deploy.yml"

# It writes its arguments to the file `said`, and answers with the file `answer`.
GH = """#!/bin/sh
cd "$(dirname "$0")"
echo "$@" > said
cat answer
cat error >&2
exit "$(cat code)"
"""

Gh = Callable[..., None]


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gh:
    """`gh(answer)` puts a stand-in for gh on the PATH."""

    def install(answer: Any, code: int = 0, error: str = "") -> None:
        contents = {"gh": GH, "code": str(code), "error": error}
        contents["answer"] = answer if isinstance(answer, str) else json.dumps(answer)
        for name, content in contents.items():
            (tmp_path / name).write_text(content)
        (tmp_path / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return install


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout. Its second commit has the tree of the first, its tag `other` has another tree."""
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "-q")
    for text, tag in (("first", "built"), ("other", "other"), ("first", "merged")):
        (root / "app.py").write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", tag)
        git(root, "tag", tag)
    return root


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def found(root: Path, **changes: Any) -> dict[str, Any]:
    """Return an attestation as gh prints it, which the workflow wrote on the branch development."""
    commit = git(root, "rev-parse", "built")
    certificate = {
        "certificateIssuer": "CN=sigstore-intermediate,O=sigstore.dev",
        "subjectAlternativeName": f"{WORKFLOW}@refs/heads/development",
        "issuer": "https://token.actions.githubusercontent.com",
        "githubWorkflowTrigger": "push",
        "buildSignerURI": f"{WORKFLOW}@refs/heads/development",
        "buildSignerDigest": commit,
        "runnerEnvironment": "github-hosted",
        "sourceRepositoryURI": ADDRESS,
        "sourceRepositoryDigest": commit,
        "sourceRepositoryRef": "refs/heads/development",
        "buildTrigger": "push",
        "runInvocationURI": f"{ADDRESS}/actions/runs/1/attempts/1",
        **changes,
    }
    # A workflow can write everything into its statement.
    source = {"uri": f"git+{ADDRESS}@refs/heads/development", "digest": {"gitCommit": commit}}
    predicate = {"buildDefinition": {"resolvedDependencies": [source]}}
    return {
        "attestation": {"bundle": {}},
        "verificationResult": {
            "mediaType": "application/vnd.dev.sigstore.verificationresult+json;version=0.1",
            "signature": {"certificate": certificate},
            "verifiedTimestamps": [{"type": "Tlog", "uri": "https://rekor.sigstore.dev"}],
            "statement": {"predicateType": "https://slsa.dev/provenance/v1", "predicate": predicate},
        },
    }


def on(ref: str) -> dict[str, str]:
    return {"sourceRepositoryRef": ref, "buildSignerURI": f"{WORKFLOW}@{ref}"}


@pytest.mark.parametrize("branch", ["development", "preproduction", "production"])
def test_a_package_of_the_deploy_workflow_is_deployed(gh: Gh, root: Path, tmp_path: Path, branch: str) -> None:
    gh([found(root, **on(f"refs/heads/{branch}"))])

    attestation.attested(OURS, tmp_path, root)

    said = (tmp_path / "said").read_text().split()
    assert said[:3] == ["attestation", "verify", str(tmp_path / PACKAGE)]
    options = {"--repo": "acme/service", "--format": "json"}
    options["--signer-workflow"] = "acme/service/.github/workflows/deploy.yml"
    # By default gh reads 30 attestations. Other workflows could write as many.
    options["--limit"] = "1000"
    assert {each: said[said.index(each) + 1] for each in options} == options
    assert "--deny-self-hosted-runners" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (on("refs/heads/ann/try"), "not the branch of an environment"),
        (on("refs/tags/production"), "not the branch of an environment"),
        (on("refs/pull/7/merge"), "not the branch of an environment"),
        ({"sourceRepositoryRef": None}, "not the branch of an environment"),
        ({"buildSignerURI": f"{WORKFLOW}.evil.yml@refs/heads/development"}, "of the workflow"),
        ({"buildSignerURI": f"{WORKFLOW}@refs/heads/ann/try"}, "of the workflow"),
        ({"buildSignerURI": None}, "of the workflow"),
        ({"runnerEnvironment": "self-hosted"}, "a runner that is self-hosted"),
        ({"runnerEnvironment": None}, "a runner that is"),
        ({"sourceRepositoryURI": "https://github.com/ann/service"}, "of the repository"),
        ({"sourceRepositoryDigest": "f" * 40}, "not in this checkout"),
        ({"sourceRepositoryDigest": "--help"}, "not in this checkout"),
        ({"sourceRepositoryDigest": "other"}, "not tree:"),
    ],
)
def test_other_attestations_do_not_count(
    gh: Gh, root: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    gh([found(root, **changes)])

    with pytest.raises(ToolError, match=f"does not attest.*{reason}"):
        attestation.attested(OURS, tmp_path, root)


def test_one_of_several_attestations_is_enough(gh: Gh, root: Path, tmp_path: Path) -> None:
    gh([found(root, **on("refs/heads/ann/try")), found(root)])

    attestation.attested(OURS, tmp_path, root)


@pytest.mark.parametrize(("answer", "code"), [([], 0), ("", 1)])
def test_without_an_attestation_nothing_is_deployed(gh: Gh, root: Path, tmp_path: Path, answer: Any, code: int) -> None:
    gh(answer, code, "HTTP 404")

    with pytest.raises(ToolError, match="does not attest"):
        attestation.attested(OURS, tmp_path, root)


@pytest.mark.parametrize("answer", ["", "verified", "{}x", '{"a": 1}', "[{}]", '[{"verificationResult": null}]'])
def test_an_answer_without_certificates_is_an_error(gh: Gh, root: Path, tmp_path: Path, answer: str) -> None:
    gh(answer)

    with pytest.raises(ToolError, match="no certificates"):
        attestation.attested(OURS, tmp_path, root)


def test_without_gh_no_attestation_can_be_verified(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attestation, "tree", lambda root: "tree:1")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match="gh"):
        attestation.attested(OURS, tmp_path, root)


def test_the_repository_must_be_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GITHUB_REPOSITORY"):
        attestation.attested({}, tmp_path, root)


def test_the_workflow_attests_the_whole_package_and_checks_it_out_with_its_history() -> None:
    jobs = workflow("deploy").jobs
    [subjects] = [step["with"]["subject-path"].split() for step in jobs["artifact"]["steps"] if "attest" in str(step)]
    [checkout] = [step["with"] for step in jobs["deploy"]["steps"] if "actions/checkout@" in step.get("uses", "")]

    assert str((FOLDER / PACKAGE).relative_to(ROOT)) in subjects
    assert checkout["fetch-depth"] == 0


def test_a_plan_without_attestations_is_a_warning_if_a_variable_says_so(
    gh: Gh, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gh("", code=1, error="HTTP 404: no attestations")

    attestation.attested({**OURS, "NO_ATTESTATIONS": "1", "GITHUB_ACTIONS": "true"}, root, root)

    assert "::warning" in capsys.readouterr().out
    with pytest.raises(ToolError, match="does not attest"):
        attestation.attested(OURS, root, root)
