"""A plan in an emulated account of its own: what an environment is made of, for whoever has no account."""

import subprocess
import sys
from collections.abc import Mapping

from tools.aws.emulator.account import emulated_account
from tools.checkout import Unusable
from tools.slipway_client.runner import Failed

_PLAN = (sys.executable, "-m", "tools.aws.environment", "plan")


def plan(environ: Mapping[str, str], command: tuple[str, ...] = _PLAN) -> int:
    """Run `make plan` for ENV while the account is there; its exit code. Raises Failed."""
    try:
        with emulated_account() as port:
            return subprocess.run(command, env={**environ, "EMULATED": str(port)}, check=False).returncode
    except Unusable as failure:
        raise Failed(str(failure)) from None
