"""A plan in an emulated account of its own: what an environment is made of, for whoever has no account."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from devtools.pipeline.runner import Failed

_PLAN = (sys.executable, "-m", "infra.tools.environment", "plan")


def plan(environ: Mapping[str, str], command: tuple[str, ...] = _PLAN) -> int:
    """Run `make plan` for ENV while the account is there; its exit code. Raises Failed."""
    with account() as port:
        return subprocess.run(command, env={**environ, "EMULATED": str(port)}, check=False).returncode


@contextmanager
def account() -> Iterator[int]:
    """An emulated account, on a port that was free, until the end of the block. Raises Failed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "devtools.emulator"], env={**os.environ, "PORT": "0"}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r":(\d+),", line)
        if found is None:
            raise Failed(f"The emulated account does not start: {line.strip() or 'it says why above'}")
        yield int(found[1])
    finally:
        process.terminate()
        process.communicate(timeout=30)
