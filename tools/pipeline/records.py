"""Record in the registry what this repository's own pipeline does."""

from collections.abc import Callable, Mapping

from tools.pipeline import artifact
from tools.slipway_client import recording
from tools.slipway_client.client import RegistryClient, token

Environ = Mapping[str, str]


def deployment_open(environ: Environ) -> None:
    """Open a deployment of ARTIFACT, or of this checkout's artifact."""
    _record(recording.deployment_open, {**environ, "ARTIFACT": environ.get("ARTIFACT") or artifact.tree()})


def deployment_status(environ: Environ) -> None:
    """Record a deployment's new state."""
    _record(recording.deployment_status, environ)


def verification(environ: Environ) -> None:
    """Record a test run."""
    _record(recording.verification, environ)


def current(environ: Environ) -> None:
    """Set the outputs `artifact` and `revision` to what an environment runs."""
    _record(recording.current, environ)


def oidc_token(environ: Environ) -> None:
    """Print this job's OIDC token."""
    print(token(environ))


def _record(step: Callable[[RegistryClient, Environ], None], environ: Environ) -> None:
    # This pipeline deploys the registry that it records in. So the pipeline must also be able to repair a broken
    # registry, and goes on if the registry does not answer.
    recording.recorded(step, {**environ, "SLIPWAY_REQUIRED": environ.get("SLIPWAY_REQUIRED") or "0"})
