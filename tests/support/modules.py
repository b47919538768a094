"""Copies of infra/ to run Terraform's own tests in, since it writes into the folder that it works in."""

import atexit
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
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


def passes(folder: Path, file: str) -> None:
    """Require that a file of tests passes, without a warning."""
    answer = _test(folder, file, "-no-color")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Warning: " not in answer.stdout, answer.stdout


def plans(folder: Path, file: str, workspace: str = "default") -> dict[str, dict[str, dict[str, Any]]]:
    """What each run of a file of tests plans: by run, then by address, the arguments. They have passed."""
    kept = folder / f"{Path(file).stem}-{workspace}.json"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps(_plan(folder, file, workspace)))
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(kept.read_text())
    return found


def _plan(folder: Path, file: str, workspace: str) -> dict[str, dict[str, dict[str, Any]]]:
    answer = _test(folder, file, "-json", "-verbose", environ={"TF_WORKSPACE": workspace})
    said = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 0, _diagnostics(said) or answer.stderr
    assert _diagnostics(said) == ""  # no warning
    return {line["@testrun"]: dict(_planned(line["test_plan"])) for line in said if line["type"] == "test_plan"}


def _planned(plan: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in plan["resource_changes"]:
        if resource["mode"] == "managed":
            yield resource["address"], resource["change"]["after"]


def _diagnostics(said: Sequence[dict[str, Any]]) -> str:
    found = [line["diagnostic"] for line in said if line["type"] == "diagnostic"]
    return "\n".join(f"{each['summary']}: {each.get('detail', '')}" for each in found)


def _test(
    folder: Path, file: str, *arguments: str, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    [provider] = folder.glob(".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*")
    # Half of the rest is collecting garbage.
    quickly = {"TF_REATTACH_PROVIDERS": _serving(provider.resolve()), "GOGC": "400"}
    return terraform(["test", f"-filter={file}", *arguments], folder, {**quickly, **(environ or {})})


@cache
def _serving(provider: Path) -> str:
    """Start the provider, which Terraform else starts twice for each run of a test; return how Terraform finds it.

    The provider takes a second to start. Only tests that mock it may share it, since it has one configuration.
    """
    process = subprocess.Popen([provider, "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    atexit.register(_stop, process)
    assert process.stdout
    address = next(line for line in process.stdout if "TF_REATTACH_PROVIDERS=" in line)
    return address.partition("=")[2].strip().strip("'")


def _stop(process: "subprocess.Popen[str]") -> None:
    with process:
        process.kill()


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
