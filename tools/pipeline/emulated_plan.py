"""A plan in an emulated account of its own: what an environment is made of, for whoever has no account."""

import subprocess
import sys
from collections.abc import Mapping

from tools.aws.emulator.account import emulated_account

_PLAN = (sys.executable, "-m", "tools", "aws", "plan")


def main(environ: Mapping[str, str], command: tuple[str, ...] = _PLAN) -> int:
    """Run `make plan` for ENV while the account is there; return its exit code. Raises ToolError."""
    with emulated_account() as port:
        return subprocess.run(command, env={**environ, "EMULATED": str(port)}, check=False).returncode
