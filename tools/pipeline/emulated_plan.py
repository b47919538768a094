"""Plan an environment in a temporary emulated account, so that no AWS account is needed to see its resources."""

import sys
from collections.abc import Mapping

from tools import lifeline
from tools.aws.emulator.account import emulated_account

_PLAN = (sys.executable, "-m", "tools", "aws", "plan")
_GRACE_SECONDS = 60  # after an interrupt, the plan has this time to clean up


def main(environ: Mapping[str, str], command: tuple[str, ...] = _PLAN) -> int:
    """Run `make plan` for ENV in an emulated account, and return the exit code, or raise ToolError."""
    with emulated_account() as port:
        variables = {**environ, "EMULATED": str(port)}
        return lifeline.run(command, env=variables, grace_seconds=_GRACE_SECONDS).returncode
