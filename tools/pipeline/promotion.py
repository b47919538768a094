"""Decide whether an artifact may enter the next environment: Slipway does, or without one the order of branches.

This pipeline deploys the very Slipway that it asks. Where Slipway does not answer, the order of branches decides too,
with a warning: a broken Slipway must not block its own repair.
"""

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tools.checkout import ENVIRONMENTS, ROOT, ToolError, UsageError
from tools.pipeline.artifact import Environ, Store, digest_in, tree
from tools.slipway_client import recording
from tools.slipway_client.client import Slipway, Unreachable
from tools.slipway_client.runner import needed, run_url, say, warn


def may_promote(environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
    """Raise ToolError with every blocker, or return."""
    environ = {**environ, "ARTIFACT": environ.get("ARTIFACT") or tree()}
    if environ.get("SLIPWAY_URL"):
        try:
            recording.may_promote(Slipway(environ, pause), environ)
        except Unreachable as silence:
            warn(environ, f"{silence}. Promotion follows the order of branches meanwhile")
        else:
            return
    else:
        warn(environ, "SLIPWAY_URL is not set: promotion follows the order of branches, and nothing is recorded")
    _require_order(environ)


def check_merge(environ: Environ, root: Path = ROOT) -> None:
    """Require that a pull request's merge, which is checked out, has the tree of the branch that it merges.

    Otherwise the merge would be an artifact that nobody tested. Raises ToolError.
    """
    asked = ["git", "rev-parse", "HEAD^{tree}", "HEAD^2^{tree}"]
    answer = subprocess.run(asked, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    if answer.returncode != 0:
        raise ToolError("The checkout is no merge of a pull request: fetch-depth: 2 gets what it merges")
    merged, branch = answer.stdout.split()
    if merged != branch:
        raise ToolError(
            f"The merge would be tree:{merged}, and what was tested is tree:{branch}: the branch that this goes to has "
            "commits that this branch lacks. Merge it back into this one first (docs/branching.md)"
        )
    say(f"The merge is tree:{branch}, as tested")


def note_verified(environ: Environ) -> None:
    """Note in the artifact bucket that an environment runs the artifact, verified. The first note stays."""
    environment, artifact = _environment(environ), environ.get("ARTIFACT") or tree()
    if environment == ENVIRONMENTS[-1]:
        say(f"Nothing comes after {environment}, so nobody looks there for a note")  # and its role can't write one
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
        warn(environ, "ARTIFACT_BUCKET is not set: that it was deployed is noted nowhere")
        return
    written = store.write(_key(artifact, environment), json.dumps(note, indent=2).encode())
    say(f"{artifact} in {environment}: {'noted' if written else 'was noted before'}")


def _require_order(environ: Environ) -> None:
    environment, artifact = _environment(environ), environ["ARTIFACT"]
    rank = ENVIRONMENTS.index(environment)
    if rank == 0:
        say(f"{environment} takes every artifact")
        return
    before = ENVIRONMENTS[rank - 1]
    if (reason := environ.get("OVERRIDE_REASON", "").strip()) != "":
        warn(environ, f"{artifact} enters {environment} past {before}, with the reason: {reason}")
        return
    store = Store(environ)
    note = store.read(_key(artifact, before)) if store.bucket else None
    if note is None:
        raise ToolError(
            f"{artifact} may not enter {environment} yet: no deployment of it to {before} is noted that passed its "
            f"acceptance tests. Merge it into the branch {before} first, and let that run end. What can't wait is a "
            "hotfix with an override (docs/branching.md)"
        )
    told = json.loads(note)
    if (digest := digest_in()) is not None and told.get("digest") not in (None, digest):
        raise ToolError(f"{before} runs the package {told['digest']}, and this is {digest}: run the deployment again")
    say(f"{artifact} was deployed to {before} at {told.get('at')}, and may enter {environment}")


def _environment(environ: Environ) -> str:
    environment = needed(environ, "ENV", "production")
    if environment not in ENVIRONMENTS:
        raise UsageError(f"{environment!r} is no environment: ENV={'|'.join(ENVIRONMENTS)}")
    return environment


def _key(artifact: str, environment: str) -> str:
    return f"{artifact.removeprefix('tree:')}/deployed/{environment}.json"
