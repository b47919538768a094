"""Plan each environment and some workspaces with `terraform test` and a mocked provider.

The tests in infra/*/tests use infra/modules/mocks, so they call no AWS account.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.aws.terraform import terraform
from tools.checkout import ENVIRONMENTS, ROOT, ToolError, locked
from tools.package import compose

_SECONDS = 600
_WRITTEN = shutil.ignore_patterns(".terraform", "__pycache__", "generated.tf.json", "deployment.zip", "*.tfstate*")

Plan = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run of infra/*/tests that plans an environment, or a workspace of an environment."""

    environment: str
    file: str = "tests/environment.tftest.hcl"
    run: str = "the_environment"
    workspace: str = "default"
    # Tags of the scenarios about resources that this plan does not have.
    lacks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.environment if self.workspace == "default" else f"{self.environment}-{self.run}"


def _workspace(workspace: str, run: str, *lacks: str) -> Run:
    file = "debug" if workspace.startswith("d-") else "workspace"
    missing = ("environment", "production", "site", *lacks)
    return Run("production", f"tests/{file}.tftest.hcl", run, workspace, missing)


RUNS = (
    *(Run(each, lacks=() if each == "production" else ("production",)) for each in ENVIRONMENTS),
    _workspace("w-fix-1", "personal"),
    _workspace("d-fix-1", "clone", "people"),
    _workspace("d-fix-1", "live", "people", "database"),
)


def package(copies: Path, more: str = "") -> None:
    """Package the checkout, with `more` at the end of app.py. Leave out dependencies, because no plan shows them."""
    with locked(copies / "package.lock"):
        if (copies / "package" / "generated.tf.json").exists():
            return
        sources = copies / "sources"
        for name in ("chalicelib", ".chalice"):
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        (sources / "app.py").write_text((ROOT / "app.py").read_text() + more)
        (sources / "requirements.txt").touch()
        compose.package("production", copies / "package", sources)


def initialised(copies: Path, folder: str, stage: str) -> Path:
    """Copy infra/ with the package of `stage`, and run `terraform init` in a folder there. Return the folder's path."""
    package(copies)
    # Terraform writes into its folder, so it works in a copy. Several tests share the copies and the plans.
    with locked(copies / f"{stage}.lock"):
        if not (copies / stage).exists():
            _copy(copies, stage)
    with locked(copies / f"{stage}-{folder.replace('/', '-')}.lock"):
        copy = copies / stage / folder
        if not (copy / ".terraform").exists():
            answer = terraform(["init", "-backend=false", "-input=false", "-no-color"], copy, seconds=_SECONDS)
            if answer.returncode != 0:
                raise ToolError(f"terraform init failed in a copy of infra/{folder}. Fix this error:\n{answer.stderr}")
    return copy


def plans(
    folder: Path, file: str, workspace: str = "default", environ: Mapping[str, str] | None = None
) -> dict[str, Plan]:
    """Return the plan of each run in a test file, by the run's name.

    Raise ToolError unless the runs pass without a warning.
    """
    kept = folder / f"{Path(file).stem}-{workspace}.json"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps(_plans(folder, file, {**(environ or {}), "TF_WORKSPACE": workspace})))
    found: dict[str, Plan] = json.loads(kept.read_text())
    return found


def _plans(folder: Path, file: str, environ: Mapping[str, str]) -> dict[str, Plan]:
    answer = terraform(["test", "-json", "-verbose", f"-filter={file}"], folder, environ, seconds=_SECONDS)
    messages = [json.loads(line) for line in answer.stdout.splitlines()]
    if (faults := _faults(messages)) or answer.returncode != 0:
        raise ToolError(f"{folder.name}/{file} fails. Fix this error:\n{faults or answer.stderr}")
    # Keep only these parts of a plan. Its other parts are 25 MB of the provider's schema.
    return {
        message["@testrun"]: {key: message["test_plan"].get(key) for key in ("resource_changes", "output_changes")}
        for message in messages
        if message["type"] == "test_plan"
    }


def _faults(messages: Sequence[dict[str, Any]]) -> str:
    faults = [message["diagnostic"] for message in messages if message["type"] == "diagnostic"]
    return "\n".join(f"{fault['summary']}: {fault.get('detail', '')}" for fault in faults)


def _copy(copies: Path, stage: str) -> None:
    incomplete = copies / f"{stage}.incomplete"
    shutil.copytree(ROOT / "infra", incomplete, ignore=_WRITTEN)
    composed = json.loads((copies / "package" / "generated.tf.json").read_text())
    composed["locals"]["package"]["stage"] = stage
    (incomplete / "modules" / "api" / "generated.tf.json").write_text(json.dumps(composed))
    incomplete.rename(copies / stage)
