"""A plan in an emulated account of its own: what an environment is made of, for whoever has no account."""

import sys
from collections.abc import Mapping

from tools import lifeline
from tools.aws.emulator.account import emulated_account

_PLAN = (sys.executable, "-m", "tools", "aws", "plan")
_GRACE_SECONDS = 15  # more than Terraform has


def main(environ: Mapping[str, str], command: tuple[str, ...] = _PLAN) -> int:
    """Run `make plan` for ENV while the account is there; return its exit code. Raises ToolError."""
    with emulated_account() as port:
        variables = {**environ, "EMULATED": str(port)}
        return lifeline.run(command, env=variables, grace_seconds=_GRACE_SECONDS).returncode
