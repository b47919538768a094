"""Make a virtual environment for this checkout. `make` and tools/checks/checkov.py use this module.

The file `complete` is written last and deleted first, so an interrupted installation is repeated. The file holds the
path of the environment, the path of the environment's Python, and the requirements. The Makefile checks the file too.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

from tools.checkout import ROOT, ToolError, locked


def ensure(folder: Path, requirements: Path) -> None:
    """Make the environment in `folder` with this Python, unless the environment is complete. Raises ToolError."""
    python, complete = folder / "bin" / "python", folder / "complete"
    with locked(folder.with_suffix(".lock")):
        made_by_this_python = python.exists() and (folder / "lib" / "python{}.{}".format(*sys.version_info)).is_dir()
        if made_by_this_python and complete.is_file() and complete.read_text() == _state(folder, requirements):
            return
        print(
            f"making {folder} with Python {platform.python_version()}: this takes minutes", file=sys.stderr, flush=True
        )
        if folder.is_symlink():
            folder.unlink()  # the link points to another checkout's environment
        complete.unlink(missing_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input")
        _run(*pip, "--require-hashes", "--requirement", str(requirements))
        complete.write_text(_state(folder, requirements))


def _state(folder: Path, requirements: Path) -> str:
    return f"{folder}\n{os.path.realpath(folder / 'bin' / 'python')}\n{requirements.read_text()}"


def _run(*command: str) -> None:
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise ToolError("The virtual environment could not be made: fix the error above, and run the command again")


if __name__ == "__main__":
    try:
        ensure(ROOT / ".local" / "venv", ROOT / "requirements-dev.txt")
    except ToolError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
