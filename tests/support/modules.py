"""Copies of infra/ to run Terraform's own tests in, since it writes into the folder that it works in."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.packaged import sources
from tools.aws.terraform import terraform
from tools.checkout import ROOT, locked
from tools.package import compose

# So that there is one, whatever the service has: what a schedule is made like is to be tested.
SCHEDULE = """
@app.schedule("rate(1 hour)", name="clock")
def clock(event): ...
"""


# Nearly all of a test's time is Terraform's reading of the provider's schema; half of that is collecting garbage.
QUICKLY = {"GOGC": "400"}


def initialised(folder: str, stage: str = "production") -> Path:
    """`folder` of infra, where `terraform init` has run and the package is of `stage`. One for all workers of a run."""
    run = Path(os.environ["SLIPWAY_TEST_RUN"]) / "infra"
    with locked(run / "package.lock"):
        if not (run / "package" / "generated.tf.json").exists():
            _package(run)
    with locked(run / f"{stage}.lock"):
        if not (run / stage).exists():
            _copy(run, stage)
    with locked(run / f"{stage}-{folder.replace('/', '-')}.lock"):
        copy = run / stage / folder
        if not (copy / ".terraform").exists():
            answer = terraform(["init", "-backend=false", "-input=false", "-no-color"], copy)
            assert answer.returncode == 0, answer.stderr
    return copy


def tests_of(folder: Path) -> list[str]:
    """The files of tests that a folder has; each is run by itself, so that two cores share the work."""
    return sorted(f"tests/{path.name}" for path in (folder / "tests").glob("*.tftest.hcl"))


def test(folder: Path, file: str) -> "subprocess.CompletedProcess[str]":
    return terraform(["test", "-no-color", f"-filter={file}"], folder, QUICKLY)


def plans(folder: Path, file: str, workspace: str = "default") -> dict[str, dict[str, dict[str, Any]]]:
    """What each run of a file of tests plans: by run, then by address, the arguments. They have passed."""
    kept = folder / f"{Path(file).stem}-{workspace}.json"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps(_plan(folder, file, workspace)))
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(kept.read_text())
    return found


def _plan(folder: Path, file: str, workspace: str) -> dict[str, dict[str, dict[str, Any]]]:
    arguments = ["test", "-json", "-verbose", f"-filter={file}"]
    answer = terraform(arguments, folder, {**QUICKLY, "TF_WORKSPACE": workspace})
    said = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 0, _faults(said) or answer.stderr
    return {line["@testrun"]: dict(_planned(line["test_plan"])) for line in said if line["type"] == "test_plan"}


def _planned(plan: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in plan["resource_changes"]:
        if resource["mode"] == "managed":
            yield resource["address"], resource["change"]["after"]


def _faults(said: Sequence[dict[str, Any]]) -> str:
    faults = [line["diagnostic"] for line in said if line["type"] == "diagnostic"]
    return "\n".join(f"{fault['summary']}: {fault.get('detail', '')}" for fault in faults)


def _package(run: Path) -> None:
    checkout = sources(run / "checkout")
    with (checkout / "app.py").open("a") as app:
        app.write(SCHEDULE)
    compose.package("production", run / "package", checkout)


def _copy(run: Path, stage: str) -> None:
    ignored = shutil.ignore_patterns(".terraform", "__pycache__", "generated.tf.json", "deployment.zip", "*.tfstate*")
    incomplete = run / f"{stage}.incomplete"
    shutil.copytree(ROOT / "infra", incomplete, ignore=ignored)
    composed = json.loads((run / "package" / "generated.tf.json").read_text())
    composed["locals"]["package"]["stage"] = stage
    (incomplete / "modules" / "api" / "generated.tf.json").write_text(json.dumps(composed))
    incomplete.rename(run / stage)
