"""An emulated AWS account of a test's own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def emulated_account() -> Iterator[int]:
    """Serve one, on the port that this gives, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "devtools.emulator"], env={**os.environ, "PORT": "0"}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = re.search(r":(\d+),", process.stdout.readline())
    assert found is not None
    try:
        yield int(found[1])
    finally:
        process.terminate()
        process.communicate(timeout=10)
