"""Adopt a copy of this checkout in a temporary folder, and run `make test` there, with this checkout's environment."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.adopt import tree
from tools.checkout import ROOT, ToolError
from tools.commands import Environ

_AS_SOMEBODY = ("-c", "user.name=Trial", "-c", "user.email=trial@example.org", "-c", "commit.gpgsign=false")
# Use the virtual environment of this checkout.
MAKE = ("make", "-o", "venv", f"python={sys.executable}")


def main(environ: Environ) -> None:
    """Raise ToolError if adoption fails, or if a test of the adopted copy fails."""
    with tempfile.TemporaryDirectory(prefix="adopt-") as folder:
        copy = Path(folder) / "copy"
        adopted_copy(copy, environ["NAME"])
        if subprocess.run([*MAKE, "test"], cwd=copy, check=False).returncode:
            raise ToolError(
                f"The adopted copy {environ['NAME']} fails its tests, see above. To look at such a copy, clone this "
                f"repository and run `make adopt NAME={environ['NAME']}` there"
            )


def adopted_copy(folder: Path, name: str) -> None:
    """Copy the files that git tracks or would track, commit them, and adopt the copy, or raise ToolError."""
    listed = tree.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for path in filter(None, listed.split("\0")):
        if (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    tree.git(folder, "init", "--quiet")
    commit(folder, "Copy the template")
    (folder / ".local").mkdir()
    (folder / ".local" / "venv").symlink_to(Path(sys.executable).parents[1])
    environ = {variable: value for variable, value in os.environ.items() if not variable.startswith("MAKE")}
    environ |= {"NAME": name, "OWNER": "", "DESCRIPTION": "", "DRY_RUN": ""}
    done = subprocess.run([*MAKE, "adopt"], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"make adopt NAME={name} failed:\n{done.stdout}{done.stderr}")
    commit(folder, "Adopt the copy")


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder, or raise ToolError."""
    tree.git(folder, "add", "--all")
    tree.git(folder, *_AS_SOMEBODY, "commit", "--quiet", "--no-verify", "--message", message)
