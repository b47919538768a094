"""`python -m devtools.pipeline COMMAND`: the steps of the pipeline, as `make` calls them; variables say the rest."""

import os
import sys
import time

from devtools.pipeline import artifact, promotion, slipway, summary
from devtools.pipeline.artifact import Environ
from devtools.pipeline.client import token
from devtools.pipeline.runner import Failed, fail, needed


def main(arguments: list[str], environ: Environ) -> int:
    """Run a command; the exit code."""
    try:
        match arguments:
            case ["artifact"]:
                artifact.find_or_make(environ)
            case ["artifact-keep"]:
                artifact.keep(environ)
            case ["artifact-attested"]:
                artifact.attested(environ)
            case ["may-promote"]:
                promotion.may_promote(environ, time.sleep)
            case ["record"]:
                return _record(environ)
            case ["deployed"]:
                return slipway.main(["deployed"], environ)
            case ["oidc-token"]:
                print(token(environ))
            case ["summary"]:
                print(summary.comment(environ))
            case _:
                raise Failed(
                    "Say artifact, artifact-keep, artifact-attested, may-promote, record, deployed, oidc-token or summary"
                )
    except Failed as failure:
        fail(environ, str(failure))
        return 1
    return 0


def _record(environ: Environ) -> int:
    """What RECORD names, of this checkout's artifact unless another is named. Slipway may be what is being mended."""
    what = needed(environ, "RECORD", "deployment-open|deployment-status|verification|deployed")
    if what == "deployed":
        promotion.record_deployed(environ)
        return 0
    defaults = {"SLIPWAY_REQUIRED": "0"}
    if what == "deployment-open" and not environ.get("ARTIFACT"):
        defaults["ARTIFACT"] = artifact.tree()
    return slipway.main([what], {**defaults, **environ})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
