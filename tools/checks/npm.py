"""Install check programs from npm in .local/node. The lock file in tools/checks/node fixes their versions."""

import shutil
import subprocess
from functools import cache

from tools import lifeline
from tools.checkout import ROOT, locked

SOURCE = ROOT / "tools" / "checks" / "node"
INSTALLED = ROOT / ".local" / "node"
SECONDS = 120


@cache
def missing() -> str | None:
    """Install the programs if they are missing or old. Return None, or the reason why this machine can't run them."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not on the PATH: install Node"
    with locked(INSTALLED.with_suffix(".lock")):
        return _install()


def _install() -> str | None:
    wanted = (SOURCE / "package-lock.json").read_text()
    complete = INSTALLED / "complete"
    if complete.exists() and complete.read_text() == wanted:
        return None
    shutil.copytree(SOURCE, INSTALLED, dirs_exist_ok=True)
    # Run no scripts of packages. Refuse a version of Node that a package does not support.
    command = ["npm", "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund", "--silent"]
    try:
        done = lifeline.run(command, cwd=INSTALLED, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm has not installed the packages within {SECONDS} s: check the connection to npm's registry"
    if done.returncode != 0:
        return f"npm could not install the packages: {' '.join(done.stderr.split())}. Fix this error and try again"
    complete.write_text(wanted)
    return None
