"""Record in the registry what this repository's own pipeline does. The pipeline goes on without a registry.

The pipeline deploys the registry that it records in. So the pipeline must also be able to repair a broken registry. A
copy of this repository may have no registry: then notes in the artifact bucket keep the order (promotion.py).
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.aws.environment import PLANS
from tools.checkout import ToolError, UsageError, read_json
from tools.checks.dependencies import bindings_of
from tools.pipeline import artifact
from tools.pipeline.github import Repository
from tools.slipway_client import recording
from tools.slipway_client.client import RegistryClient, token
from tools.slipway_client.runner import needed, put_out, say

Environ = Mapping[str, str]

# How deploy.yml records the package of a deployment.
_PACKAGE = re.compile("package (sha256:[0-9a-f]{64})")


def deployment_open(environ: Environ) -> None:
    """Open a deployment of ARTIFACT, or of this checkout's artifact.

    If a run that is over still holds the target, first record how that run's deployment ended.
    """
    environ = {**environ, "ARTIFACT": environ.get("ARTIFACT") or artifact.tree()}
    try:
        _record(recording.deployment_open, environ)
    except recording.TargetBusy as busy:
        if (ended := _end_of_holder(environ, str(busy.holder.get("id")))) is None:
            raise
        _record(recording.deployment_status, {**environ, **ended})
        _record(recording.deployment_open, environ)


def deployment_status(environ: Environ) -> None:
    """Record a deployment's new state."""
    _record(recording.deployment_status, environ)


def verification(environ: Environ) -> None:
    """Record a test run."""
    _record(recording.verification, environ)


def current(environ: Environ) -> None:
    """Set the outputs `deployment`, `last_attempt`, `artifact`, `revision` and `digest` to what an environment runs.

    `digest` is of the package, or "" if no deployment of the artifact says it.
    """
    _record(current_package, environ)


def current_package(registry: RegistryClient, environ: Environ) -> None:
    recording.current(registry, environ)
    current, _ = recording.standing(registry, environ)
    # The package of an artifact is built once, so each deployment of it has the same. A rollback does not say it.
    same = registry.get("deployments", artifact=current["artifact"], limit="50")["items"] if current else []
    found = [match[1] for each in [current, *same] if (match := _PACKAGE.fullmatch(each.get("detail") or ""))]
    put_out(environ, digest=found[0] if found else "")


def must_repeat(environ: Environ) -> None:
    """Set the output `repeat` to true if the gate of the next environment takes results of SUITE only for a time."""
    _record(_must_repeat, environ)


def bindings(environ: Environ) -> None:
    """Record which instances of its dependencies an environment uses. With DRY_RUN=1, only ask if they are accepted.

    The plan that `make plan` saved says which.
    """
    plan = Path(environ.get("PLAN") or PLANS / f"{needed(environ, 'ENV', 'production')}.json")
    try:
        read = read_json(plan)
    except FileNotFoundError:
        raise UsageError(f"There is no plan {plan}: run `make plan` first") from None
    found = bindings_of(read, str(plan))
    _record(recording.bindings, {**environ, "BINDINGS": json.dumps(found)})


def oidc_token(environ: Environ) -> None:
    """Print this job's OIDC token."""
    print(token(environ))


def _must_repeat(registry: RegistryClient, environ: Environ) -> None:
    ranked = sorted(registry.get("environments", limit="200")["items"], key=lambda each: each["rank"])
    names = [each["name"] for each in ranked]
    after = ranked[names.index(environ["ENV"]) + 1 :] if environ["ENV"] in names else []
    repeat = False
    if after and after[0]["verification_max_age_seconds"] is not None:
        # Without required suites, the gate asks for the latest result of every suite that has one.
        repeat = environ["SUITE"] in after[0]["required_suites"] or (
            not after[0]["required_suites"] and _has_result(registry, environ["DEPLOYMENT"], environ["SUITE"])
        )
    put_out(environ, repeat="true" if repeat else "false")


def _has_result(registry: RegistryClient, deployment: str, suite: str) -> bool:
    return bool(deployment and registry.get("verifications", deployment=deployment, suite=suite, limit="1")["items"])


def _end_of_holder(environ: Environ, deployment: str) -> dict[str, str] | None:
    """Return the variables that record how a deployment ended. None unless a finished run of this repository opened it.

    The job of deploy.yml records each end itself. If the run is over without one, its runner died, or the registry did
    not answer then.
    """
    if not environ.get("GH_TOKEN"):
        return None
    try:
        holder = RegistryClient(environ).get(f"deployments/{deployment}")
        # Of its own attempt: a later one can have ended well, because it deployed nothing.
        run = Repository(environ).run(holder["run_id"], holder["run_attempt"]) if holder.get("run_id") else None
    except ToolError as unknown:
        say(f"Nobody knows if the run of deployment {deployment} is over: {unknown}")
        return None
    if run is None or run["status"] != "completed":
        return None
    state = {"success": "succeeded", "cancelled": "cancelled"}.get(run["conclusion"], "failed")
    detail = f"The run ended as {run['conclusion']} without recording an end: its runner died, or had no connection"
    return {"DEPLOYMENT": deployment, "STATE": state, "DETAIL": detail}


def _record(step: Callable[[RegistryClient, Environ], None], environ: Environ) -> None:
    if not environ.get("SLIPWAY_URL"):
        say("Nothing is recorded: SLIPWAY_URL is not set")
        return
    recording.recorded(step, {**environ, "SLIPWAY_REQUIRED": environ.get("SLIPWAY_REQUIRED") or "0"})
