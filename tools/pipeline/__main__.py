"""`python -m tools.pipeline COMMAND`: the steps of the pipeline, as `make` calls them; variables say the rest."""

import os
import sys
import time
from collections.abc import Callable

from tools.pipeline import artifact, emulated, promotion, summary
from tools.pipeline.artifact import Environ
from tools.slipway_client import slipway
from tools.slipway_client.client import token
from tools.slipway_client.runner import Failed, fail, needed


def main(arguments: list[str], environ: Environ) -> int:
    """Run a command; the exit code."""
    command = COMMANDS.get(arguments[0] if arguments else "")
    try:
        if command is None:
            raise Failed(f"Say one of {', '.join(COMMANDS)}")
        return command(environ) or 0
    except Failed as failure:
        fail(environ, str(failure))
        return 1


def _record(environ: Environ) -> int:
    """What RECORD names, of this checkout's artifact unless another is named. Slipway may be what is being mended."""
    what = needed(environ, "RECORD", "deployment-open|deployment-status|verification|deployed")
    if what == "deployed":
        promotion.record_deployed(environ)
        return 0
    variables = {**environ, "SLIPWAY_REQUIRED": environ.get("SLIPWAY_REQUIRED") or "0"}
    if what == "deployment-open" and not environ.get("ARTIFACT"):
        variables["ARTIFACT"] = artifact.tree()
    return slipway.main([what], variables)


COMMANDS: dict[str, Callable[[Environ], int | None]] = {
    "artifact": artifact.find_or_make,
    "artifact-keep": artifact.keep,
    "artifact-attested": artifact.attested,
    "may-promote": lambda environ: promotion.may_promote(environ, time.sleep),
    "promotable": lambda environ: promotion.promotable(),
    "record": _record,
    "deployed": lambda environ: slipway.main(["deployed"], environ),
    "oidc-token": lambda environ: print(token(environ)),
    "emulated-plan": emulated.plan,
    "summary": lambda environ: print(summary.comment(environ)),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
