"""This checkout: where it is, which environments it deploys, where it keeps what is local, and how its tools fail.

Nothing but the standard library: the actions for other repositories run tools with whatever Python is there.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCAL_STATE = ROOT / ".local"

# In the order of promotion. Each is a stage of Chalice, a folder of infra/, a branch and a GitHub environment.
ENVIRONMENTS = ("development", "preproduction", "production")


class ToolError(Exception):
    """A tool cannot do what it was asked. The message says why and what to do next; nothing else is shown."""

    exit_code = 1


class UsageError(ToolError):
    """An option or a variable is wrong or missing."""

    exit_code = 2


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock on `path` and hold it. It ends with its holder, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(temporary).chmod(mode)
    Path(temporary).replace(path)
