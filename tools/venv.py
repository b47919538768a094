"""Make a virtual environment for this checkout. `make` and tools/checks/checkov.py use this module."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from tools.checkout import ROOT, ToolError, locked

# The lines of a lock that build packages.
_BUILD_TOOLS = re.compile(r"^setuptools==(?:.*\\\n)*.*\n", re.MULTILINE)


def ensure(folder: Path, requirements: Path) -> None:
    """Make the environment in `folder` with this Python, unless the environment is complete, or raise ToolError."""
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
        # Delete `complete` first and write it last, so that an interrupted installation is repeated.
        complete.unlink(missing_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input")
        # pip builds packages that have no wheel. It must not download the build's own tools, which no hash protects. So
        # install them first, from the lock.
        hashed = (*pip, "--require-hashes", "--no-build-isolation")
        if build_tools := _BUILD_TOOLS.findall(requirements.read_text()):
            tools = folder / "build-tools.txt"
            tools.write_text("".join(build_tools))
            _run(*hashed, "--only-binary", ":all:", "--no-deps", "--requirement", str(tools))
        _run(*hashed, "--requirement", str(requirements))
        complete.write_text(_state(folder, requirements))


def _state(folder: Path, requirements: Path) -> str:
    """Return the content of the file `complete`, which the Makefile checks too."""
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
