"""What this repository's own pipeline records in Slipway. A missing or broken Slipway does not stop it.

It deploys the very Slipway that it tells, which may be what is being repaired.
"""

from collections.abc import Callable, Mapping

from tools.pipeline import artifact
from tools.slipway_client import recording
from tools.slipway_client.client import Slipway, token

Environ = Mapping[str, str]


def deployment_open(environ: Environ) -> None:
    """Open a deployment of this checkout's artifact, unless another is named."""
    _record(recording.deployment_open, {**environ, "ARTIFACT": environ.get("ARTIFACT") or artifact.tree()})


def deployment_status(environ: Environ) -> None:
    """Record how a deployment goes on."""
    _record(recording.deployment_status, environ)


def verification(environ: Environ) -> None:
    """Record a run of tests."""
    _record(recording.verification, environ)


def current(environ: Environ) -> None:
    """Put out which artifact and revision an environment runs."""
    _record(recording.current, environ)


def oidc_token(environ: Environ) -> None:
    """Print a token of this job."""
    print(token(environ))


def _record(step: Callable[[Slipway, Environ], None], environ: Environ) -> None:
    recording.recorded(step, {**environ, "SLIPWAY_REQUIRED": environ.get("SLIPWAY_REQUIRED") or "0"})
