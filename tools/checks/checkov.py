"""`make checkov`: require that checkov finds no fault in infra/, except faults with a written reason.

The comment `#checkov:skip=CKV_AWS_1: why` in a resource's block suppresses a check there.

Checkov has its own virtual environment, .local/checkov, because its requirements conflict with the project's.
"""

import functools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools import lifeline, venv
from tools.checkout import ROOT, ToolError
from tools.checks import kept

INFRA = ROOT / "infra"
REQUIREMENTS = ROOT / "requirements-checkov.txt"
FOLDER = ROOT / ".local" / "checkov"
SECONDS = 300


def main(environ: Mapping[str, str]) -> int:
    """Check infra/ with checkov, and print the result. Return 1 if something is wrong."""
    answer = scan(INFRA)
    # checkov reports a module's faults once for each call of the module.
    wrong = list(dict.fromkeys(complaints(answer)))
    print("\n".join(wrong) or f"checkov: {answer['summary']['passed']} checks pass, and nothing fails without a reason")
    return 1 if wrong else 0


def complaints(answer: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each unreadable file, fault and suppression without a reason, or one line if no check passed."""
    if not answer.get("summary", {}).get("passed"):
        yield "checkov reports no check that passed: make sure that infra/ has Terraform files"
        return
    results = answer["results"]
    for path in results["parsing_errors"]:
        yield f"{path}: checkov can't read this file, so it checks nothing in the file. Write the file more simply"
    for each in results["failed_checks"]:
        yield (
            f"{each['file_path']}: {each['resource']} fails {each['check_id']} ({each['check_name']}). Fix the "
            f"resource, or add `#checkov:skip={each['check_id']}: ` and the reason to the resource's block"
        )
    for each in results["skipped_checks"]:
        reason = each["check_result"]["suppress_comment"].strip()
        if reason == "No comment provided" or len(reason) < 10:
            yield (
                f"{each['file_path']}: {each['resource']} suppresses {each['check_id']} without a reason: "
                "write at least 10 characters after the check's id"
            )


def scan(folder: Path) -> dict[str, Any]:
    """Return checkov's JSON report on the source in a folder, or raise ToolError. Reports are kept between runs."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("BC_", "CKV_", "CHECKOV_"))}
    environ = {**others, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE", "LOG_LEVEL": "ERROR"}
    call = [str(command()), "--framework", "terraform", "--output", "json"]
    call += ["--skip-download", "--compact", "--soft-fail"]

    def report() -> str:
        done = lifeline.run([*call, "--directory", str(folder)], env=environ, capture_output=True, timeout=SECONDS)
        json.loads(done.stdout)
        return done.stdout

    try:
        answer: dict[str, Any] = json.loads(kept.once(report, call, REQUIREMENTS.read_text(), kept.hashes(folder)))
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise ToolError(
            f"checkov gave no report: {error}. Delete {FOLDER} and try again: this installs checkov again"
        ) from error
    return answer


def command() -> Path:
    """Return checkov's path, or raise ToolError. Install checkov if it is missing or its requirements have changed."""
    venv.ensure(FOLDER, REQUIREMENTS)
    return FOLDER / "bin" / "checkov"


@functools.cache
def missing() -> str | None:
    """Install checkov if it is missing. Return None, or the reason why checkov can't be installed here."""
    try:
        command()
    except ToolError as error:
        return str(error)
    return None
