"""Checkov on the source of infra/ and on plans: every fault that it knows is mended, or the resource says why not.

    python -m tools.checks.checkov [plan.json ...]

What is suppressed is a comment in the resource's block, `#checkov:skip=CKV_AWS_1: why`. Checkov reads these in source,
and not in plans; nor does it notice one that suppresses nothing. So it is shown the source without them, and what it
finds, there and in plans (`terraform show -json`), is held against them here.

It stays in a virtual environment of its own, .local/checkov: its pins and the development's exclude each other.
"""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.checkout import ROOT, ToolError, locked

INFRA = ROOT / "infra"
REQUIREMENTS = ROOT / "requirements-checkov.txt"
FOLDER = ROOT / ".local" / "checkov"
SECONDS = 300

_SUPPRESSION = re.compile(r"^\s*#\s*checkov:skip=(\w+)(?::\s*(.*?))?\s*$", re.MULTILINE)
# terraform fmt puts a block's first line and its closing brace at the margin.
_BLOCK = re.compile(r'^(?:resource|data) "([^"]+)" "([^"]+)" \{$(.*?)^\}$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, order=True)
class Fault:
    """A check that fails in a resource, wherever it is used: `module` is a folder below infra/."""

    module: str
    resource: str
    check: str


def complaints(found: Mapping[Fault, str], suppressed: Mapping[Fault, str], *, all_known: bool) -> list[str]:
    """What is wrong: faults that nobody suppresses, and suppressions without a reason or, if `all_known`, a fault."""
    said = [
        f"{fault.module}: {fault.resource} fails {fault.check} ({name}). Mend it, or write into the resource's block "
        f"`#checkov:skip={fault.check}: ` and why"
        for fault, name in sorted(found.items())
        if fault not in suppressed
    ]
    for fault, reason in sorted(suppressed.items()):
        if len(reason) < 10:
            said.append(f"{fault.module}: {fault.resource} suppresses {fault.check} and does not say why")
        if all_known and fault not in found:
            said.append(f"{fault.module}: {fault.resource} suppresses {fault.check}, which does not fail: remove it")
    return said


def suppressions(folder: Path = INFRA) -> dict[Fault, str]:
    """The reasons in the source below `folder`, by what they suppress."""
    found = {}
    for source in sorted(folder.rglob("*.tf")):
        module = str(source.parent.relative_to(folder))
        for kind, name, body in _BLOCK.findall(source.read_text()):
            for check, reason in _SUPPRESSION.findall(body):
                found[Fault(module, f"{kind}.{name}", check)] = reason
    return found


def faults_of_source(folder: Path = INFRA) -> dict[Fault, str]:
    """What fails in the source below `folder`, suppressed or not: the check's name by fault. Raises ToolError."""
    with tempfile.TemporaryDirectory(prefix="slipway-checkov-") as temporary:
        copy = Path(temporary) / "infra"
        for source in folder.rglob("*.tf"):
            target = copy / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_SUPPRESSION.sub("", source.read_text()))
        found = _run("--directory", str(copy), "--framework", "terraform")
        return {
            Fault(
                str(Path(each["file_abs_path"]).parent.relative_to(copy)),
                ".".join(_without_index(each["resource"]).split(".")[-2:]),
                each["check_id"],
            ): each["check_name"]
            for each in found
        }


def faults_of_plan(plan: dict[str, Any], folder: str) -> dict[Fault, str]:
    """What fails in a plan of `folder`, below infra/. Raises ToolError."""
    modules = dict(_modules(plan["configuration"]["root_module"], Path(folder)))
    with tempfile.TemporaryDirectory(prefix="slipway-checkov-") as temporary:
        path = Path(temporary) / "plan.json"
        path.write_text(json.dumps(with_what_is_referred_to(plan)))
        found = _run("--file", str(path), "--framework", "terraform_plan")
    faults = {}
    for each in found:
        *calls, kind, name = _without_index(each["resource"]).removeprefix("data.").split(".")
        module = ".".join(call for call in calls if call not in ("module", "data"))
        faults[Fault(modules[module], f"{kind}.{name}", each["check_id"])] = each["check_name"]
    return faults


def with_what_is_referred_to(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan, with a word for each argument that refers to what is not known before it is made.

    Without one a key that will be named looks like no key. What refers to nothing stays away.
    """
    unknown = {change["address"]: change["change"].get("after_unknown") or {} for change in plan["resource_changes"]}
    referring = dict(_referring(plan["configuration"]["root_module"], ""))
    filled: dict[str, Any] = json.loads(json.dumps(plan))
    for resource in _resources(filled["planned_values"]["root_module"]):
        address = resource["address"]
        for argument in referring.get(_without_index(address), ()):
            if unknown.get(address, {}).get(argument) is True:
                resource.setdefault("values", {})[argument] = "known-after-apply"
    return filled


def command() -> Path:
    """Checkov's program, installed if it is not there or not of the requirements. Raises ToolError."""
    program = FOLDER / "bin" / "checkov"
    complete = FOLDER / "complete"
    # Where it is counts too: a virtual environment does not survive being moved.
    state = f"{zlib.crc32(REQUIREMENTS.read_bytes())} {FOLDER} {sys.version_info[:2]}"
    with locked(ROOT / ".local" / "checkov.lock"):
        if not complete.is_file() or complete.read_text() != state:
            print(f"making {FOLDER.relative_to(ROOT)}: half a minute, once", file=sys.stderr)
            complete.unlink(missing_ok=True)
            _install()
            complete.write_text(state)
    return program


@functools.cache
def missing() -> str | None:
    """Why checkov can't be had here; None where it can."""
    try:
        command()
    except ToolError as error:
        return str(error)
    return None


def _install() -> None:
    python = FOLDER / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    for step in (
        [sys.executable, "-m", "venv", "--clear", str(FOLDER)],
        [*pip, "--requirement", str(REQUIREMENTS)],
    ):
        done = lifeline.run(step, capture_output=True, timeout=SECONDS)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "pip says nothing").splitlines()[-1]
            raise ToolError(f"checkov could not be installed: {reason}")


def _run(*arguments: str) -> list[dict[str, Any]]:
    """What fails. No file may be unreadable for it: it would pass as faultless."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("BC_", "CKV_", "CHECKOV_"))}
    environ = {**others, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE", "LOG_LEVEL": "ERROR"}
    call = [str(command()), *arguments, "--skip-download", "--compact", "--soft-fail", "--output", "json"]
    try:
        done = lifeline.run(call, env=environ, capture_output=True, timeout=SECONDS)
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise ToolError(f"checkov did not answer: {error}") from error
    if answer["summary"]["parsing_errors"]:
        unread = sorted(path.rpartition("/infra/")[2] for path in answer["results"]["parsing_errors"])
        raise ToolError(f"checkov can't read {', '.join(unread)}: write it more simply")
    if not answer["summary"]["passed"]:
        raise ToolError("checkov found nothing to check")
    found: list[dict[str, Any]] = answer["results"]["failed_checks"]
    return found


def _modules(module: dict[str, Any], folder: Path, path: str = "") -> Iterator[tuple[str, str]]:
    """The folder below infra/ of each module of a plan's configuration, by the names of the calls that lead to it."""
    yield path, os.path.normpath(folder)
    for name, call in module.get("module_calls", {}).items():
        yield from _modules(call["module"], folder / call["source"], f"{path}.{name}".removeprefix("."))


def _referring(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    """The arguments that refer to something, by address without index."""
    for resource in module.get("resources", []):
        given = resource.get("expressions", {})
        yield (
            prefix + resource["address"],
            [name for name, value in given.items() if isinstance(value, dict) and value.get("references")],
        )
    for name, call in module.get("module_calls", {}).items():
        yield from _referring(call["module"], f"{prefix}module.{name}.")


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _without_index(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)


def main(environ: Mapping[str, str]) -> int:
    """Look at the source and at PLANS; 1 where something is wrong."""
    found = faults_of_source()
    plans = [Path(path) for path in environ["PLANS"].split()]
    for path in plans:
        plan = json.loads(path.read_text())
        found |= faults_of_plan(plan, _environment_of(plan))
    suppressed = suppressions()
    said = complaints(found, suppressed, all_known=bool(plans))
    print("\n".join(said) if said else f"checkov: nothing fails but what {len(suppressed)} reasons suppress")
    return 1 if said else 0


def _environment_of(plan: dict[str, Any]) -> str:
    name = plan["configuration"]["root_module"]["module_calls"]["main"]["expressions"]["environment"]["constant_value"]
    return str(name)
