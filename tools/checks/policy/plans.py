"""Plan each environment, some workspaces and the accounts with `terraform test` and a mocked provider.

The tests in infra/*/tests use infra/modules/mocks, so they call no AWS account.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.aws.terraform import terraform
from tools.checkout import ENVIRONMENTS, ROOT, ToolError, locked
from tools.checks import kept
from tools.package import compose

_SECONDS = 600
# Keep only these parts of a plan. Its other parts are 25 MB of the provider's schema.
_PARTS = ("resource_changes", "output_changes")
_WRITTEN = shutil.ignore_patterns(".terraform", "__pycache__", "generated.tf.json", "deployment.zip", "*.tfstate*")

Plan = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run of infra/*/tests that plans an environment, a workspace of an environment, or an account."""

    # The folder of infra/: the environment's name, or `account`.
    environment: str
    file: str = "tests/environment.tftest.hcl"
    run: str = "the_environment"
    workspace: str = "default"
    # Tags of the scenarios about resources that this plan does not have.
    lacks: tuple[str, ...] = ()
    # A file with the values of the account's variables.
    variables: str | None = None

    @property
    def name(self) -> str:
        if self.variables:
            return f"{self.environment}-{self.variables.partition('.')[0]}"
        return self.environment if self.workspace == "default" else f"{self.environment}-{self.run}"


def _workspace(file: str, run: str, workspace: str, *lacks: str) -> Run:
    return Run("production", f"tests/{file}.tftest.hcl", run, workspace, _LACKED_BY_WORKSPACES + lacks)


def _account(name: str) -> Run:
    return Run(
        "account",
        "tests/policy/account.tftest.hcl",
        "the_account",
        lacks=("stage", "environment", "production", "database", "site", "people"),
        variables=f"{name}.tfvars.json",
    )


_LACKED_BY_WORKSPACES = ("account", "environment", "production", "site", "buckets")

RUNS = (
    *(Run(each, lacks=("account",) if each == "production" else ("account", "production")) for each in ENVIRONMENTS),
    _workspace("workspace", "personal", "w-fix-1"),
    _workspace("debug", "clone", "d-fix-1", "people"),
    _workspace("debug", "live", "d-fix-1", "people", "database"),
    _account("testing"),
    _account("production"),
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


def copied(copies: Path, folder: str, stage: str) -> Path:
    """Copy infra/ with the package of `stage`. Return the path of a folder in the copy."""
    package(copies)
    # Terraform writes into its folder, so it works in a copy. Several tests share the copies.
    with locked(copies / f"{stage}.lock"):
        if not (copies / stage).exists():
            _copy(copies, stage)
    return copies / stage / folder


def initialise(folder: Path) -> None:
    """Run `terraform init` in a folder of a copy, unless it ran there before."""
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not (folder / ".terraform").exists():
            answer = terraform(["init", "-backend=false", "-input=false", "-no-color"], folder, seconds=_SECONDS)
            if answer.returncode != 0:
                raise ToolError(f"terraform init failed in a copy of {folder.name}. Fix this error:\n{answer.stderr}")


def plan(folder: Path, run: Run, environ: Callable[[Path], Mapping[str, str]] = lambda _: {}) -> Plan:
    """Return the plan of a run. `environ` returns Terraform's variables for the initialised folder.

    Raise ToolError unless all runs of the file pass without a warning.
    """

    def plans() -> str:
        initialise(folder)
        return json.dumps(_plans(folder, run, {**environ(folder), "TF_WORKSPACE": run.workspace}))

    found: Plan = json.loads(kept.once(plans, kept.sources(folder, run.file), run.workspace, run.variables, _PARTS))
    return dict(found[run.run])


def _plans(folder: Path, run: Run, environ: Mapping[str, str]) -> dict[str, Plan]:
    arguments = [f"-test-directory={Path(run.file).parent}", f"-filter={run.file}"]
    if run.variables:
        arguments.append(f"-var-file={run.variables}")
    answer = terraform(["test", "-json", "-verbose", *arguments], folder, environ, seconds=_SECONDS)
    messages = [json.loads(line) for line in answer.stdout.splitlines()]
    if (faults := _faults(messages)) or answer.returncode != 0:
        raise ToolError(f"{folder.name}/{run.file} fails. Fix this error:\n{faults or answer.stderr}")
    return {
        message["@testrun"]: {key: message["test_plan"].get(key) for key in _PARTS}
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
    # No check of a plan needs the hash of the code. With it, each change of the code would need new plans.
    composed["locals"]["package"] |= {"stage": stage, "digest": "0" * 64, "source_code_hash": "0" * 43 + "="}
    (incomplete / "modules" / "api" / "generated.tf.json").write_text(json.dumps(composed))
    incomplete.rename(copies / stage)
