"""Where this checkout keeps what is local to it, and how its tools say what went wrong."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.settings import LOCAL_STATE

ROOT = LOCAL_STATE.parent


class Unusable(Exception):
    """A tool can't do what it was asked; the message says what to do about it, and is all that is shown."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for our turn with what `path` guards. The lock dies with its holder, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that readers see the old text or the new one, and never half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(temporary).chmod(mode)
    Path(temporary).replace(path)
