"""Makes the virtual environment; venv.sh calls it, with the Python that it found, when there is something to do.

It needs nothing but the standard library. The file `complete` is written last and removed first, so that an
installation that was interrupted is done again from the start.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(".local/cache/pycache").absolute()


def main(folder: Path, requirements: str) -> None:
    complete = folder / "complete"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "venv.lock").open("w") as lock:
        _wait_for(lock.fileno())
        if _state(folder, requirements) == _text(complete):
            return  # another `make` has just made it
        say(f"making {folder} with Python {sys.version.split()[0]}: a minute or two, once")
        if folder.is_symlink():
            folder.unlink()  # what it leads to is another checkout's
        complete.unlink(missing_ok=True)
        started = time.monotonic()
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(
            *(str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
            *("--no-input", "--requirement", "requirements-dev.txt"),
        )
        complete.write_text(_state(folder, requirements))
        say(f"{folder} is ready, after {time.monotonic() - started:.0f} s")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another `make` that is making the virtual environment")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _state(folder: Path, requirements: str) -> str:
    """What venv.sh compares: the requirements, where the environment is, and its Python."""
    program = "import sys; print(sys.prefix, *sys.version_info[:2])"
    python = folder / "bin" / "python"
    if not python.exists():
        return ""
    answer = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return f"{requirements} {answer.stdout.strip()}"


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _run(*command: str) -> None:
    # Compiled where `make` has Python look for it later.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(CACHE)}
    result = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if result.returncode:
        say("the virtual environment could not be made: what is said above names the reason; `make` tries it again")
        sys.exit(1)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except KeyboardInterrupt:
        sys.exit(130)
