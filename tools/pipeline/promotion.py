"""Check if an artifact may enter an environment. The registry decides, or the order of branches if it does not answer.

This pipeline may deploy the registry that it asks, and a broken registry must not block its own repair.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tools.checkout import ENVIRONMENTS, ROOT, ToolError, UsageError, git
from tools.pipeline.artifact import Environ, Store, digest_in, tree
from tools.slipway_client import recording
from tools.slipway_client.client import RegistryClient, Unreachable
from tools.slipway_client.runner import needed, run_url, say, warn


def may_promote(environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
    """Raise ToolError with every blocker, unless the artifact may enter the environment."""
    environ = {**environ, "ARTIFACT": environ.get("ARTIFACT") or tree()}
    if environ.get("SLIPWAY_URL"):
        try:
            recording.may_promote(RegistryClient(environ, pause), environ)
        except Unreachable as silence:
            warn(environ, f"{silence}. The order of branches decides instead")
        else:
            return
    else:
        say("SLIPWAY_URL is not set, so the order of branches decides: to ask a registry, set SLIPWAY_URL")
    _require_order(environ)


def check_merge(environ: Environ, root: Path = ROOT) -> None:
    """Require that the checked out merge of a pull request has the same tree as its branch.

    Otherwise raise ToolError, because the merge would be an artifact that nobody tested.
    """
    answer = git(root, "rev-parse", "HEAD^{tree}", "HEAD^2^{tree}")
    if answer.returncode != 0:
        raise ToolError("The checkout is not a pull request's merge with its parents: set fetch-depth: 2")
    merged, branch = answer.stdout.split()
    if merged != branch:
        raise ToolError(
            f"The merge would be tree:{merged}, but tree:{branch} was tested: the target branch has commits that this "
            "branch lacks. Merge the target branch into this branch first (docs/branching.md)"
        )
    say(f"The merge is tree:{branch}, as tested")


def note_verified(environ: Environ) -> None:
    """Note in the artifact bucket that the artifact was verified in an environment. The first note stays."""
    environment, artifact = _environment(environ), environ.get("ARTIFACT") or tree()
    if environment == ENVIRONMENTS[-1]:
        say(f"{environment} is the last environment, so it needs no note")  # its AWS role can't write notes
        return
    note = {
        "environment": environment,
        "artifact": artifact,
        "digest": environ.get("DIGEST") or digest_in(),
        "revision": environ.get("GITHUB_SHA"),
        "run_url": run_url(environ),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store = Store(environ)
    if not store.bucket:
        warn(environ, "ARTIFACT_BUCKET is not set, so the verification is not noted: set ARTIFACT_BUCKET to keep notes")
        return
    written = store.write(_key(artifact, environment), json.dumps(note, indent=2).encode())
    say(f"{artifact} in {environment}: {'noted' if written else 'was noted before'}")


def _require_order(environ: Environ) -> None:
    environment, artifact = _environment(environ), environ["ARTIFACT"]
    rank = ENVIRONMENTS.index(environment)
    if rank == 0:
        say(f"Every artifact may enter {environment}")
        return
    before = ENVIRONMENTS[rank - 1]
    if (reason := environ.get("OVERRIDE_REASON", "").strip()) != "":
        warn(environ, f"{artifact} enters {environment} without proof from {before}, for this reason: {reason}")
        return
    store = Store(environ)
    if not store.bucket:
        raise ToolError(
            f"ARTIFACT_BUCKET is not set, so nothing shows that {artifact} was verified in {before}: "
            "set ARTIFACT_BUCKET to the bucket of the artifacts"
        )
    note = store.read(_key(artifact, before))
    if note is None:
        raise ToolError(
            f"{artifact} may not enter {environment} yet: the bucket has no note that the artifact was verified "
            f"in {before}. Merge the change into the branch {before} first, and wait for that run. If the change "
            "can't wait, use a hotfix with an override (docs/branching.md)"
        )
    try:
        told = dict(json.loads(note))
    except (ValueError, TypeError) as error:
        raise ToolError(
            f"The note {_key(artifact, before)} in the bucket can't be read ({error}), and the bucket keeps it for "
            f"ever: merge any change into {before}, so that another artifact is verified"
        ) from None
    if (digest := digest_in()) is not None and told.get("digest") not in (None, digest):
        raise ToolError(f"{before} verified the package {told['digest']}, not {digest}: run the deployment again")
    say(f"{artifact} was verified in {before} at {told.get('at')}, and may enter {environment}")


def _environment(environ: Environ) -> str:
    environment = needed(environ, "ENV", "production")
    if environment not in ENVIRONMENTS:
        raise UsageError(f"{environment!r} is not an environment: set ENV={'|'.join(ENVIRONMENTS)}")
    return environment


def _key(artifact: str, environment: str) -> str:
    return f"{artifact.removeprefix('tree:')}/deployed/{environment}.json"
