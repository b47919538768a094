"""Ask Slipway if an artifact may be promoted, and record what the pipeline did.

This module uses only the standard library: the actions `record` and `may-promote` run it in other repositories' jobs.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from tools.checkout import ToolError, UsageError
from tools.slipway_client import words
from tools.slipway_client.client import Json, Refused, RegistryClient, Unreachable
from tools.slipway_client.runner import needed, put_out, run_url, say, summarize, warn

Environ = Mapping[str, str]  # commands.py lists the commands and their variables

# The largest number of commits that Slipway accepts. If there are more commits, only the newest are sent.
MOST_COMMITS = 10_000
MOST_SUBJECT = 200
# Slipway accepts a body of 1 MiB. So only the newest of many commits have a subject, and fewer fit with 64 digits.
MOST_COMMIT_BYTES = 930_000
MOST_SUBJECT_BYTES = 90_000
_REVISION = re.compile("([0-9a-f]{40}|[0-9a-f]{64})")
# GitHub's result of a job or a step, and the deployment's state that the result stands for.
_STATES = {"success": "succeeded", "failure": "failed"}


def recorded(
    step: Callable[[RegistryClient, Environ], None], environ: Environ, pause: Callable[[float], None] = time.sleep
) -> None:
    """Run a step, or raise ToolError.

    Without SLIPWAY_URL, only warn. With SLIPWAY_REQUIRED=0, only warn if Slipway does not answer.
    """
    name = step.__name__.replace("_", "-")
    if not environ.get("SLIPWAY_URL"):
        warn(environ, f"{name} was skipped, because SLIPWAY_URL is not set: set SLIPWAY_URL to record in Slipway")
        return
    try:
        step(RegistryClient(environ, pause), environ)
    except Unreachable as silence:
        if environ.get("SLIPWAY_REQUIRED") != "0":
            raise
        warn(environ, f"{name}: {silence}. The pipeline goes on without Slipway")


def may_promote(registry: RegistryClient, environ: Environ) -> None:
    """Raise ToolError with every blocker if the artifact may not enter the environment. Record nothing.

    With DEPLOYMENT, only check the deployment that a maintainer opened with an override.
    """
    environment, artifact = _environment(environ), _artifact(environ)
    if environ.get("DEPLOYMENT"):
        _adopted(registry, environ, environment, artifact)
        return
    answer = registry.post(
        "promotions", {"environment": environment, "artifact": artifact, "dry_run": True}, again=True
    )
    if answer.get("decision") != "granted":
        raise ToolError(words.denial(artifact, environment, answer))
    say(f"{artifact} may enter {environment}")


def deployment_open(registry: RegistryClient, environ: Environ) -> None:
    """Open a deployment. Set outputs: its id, and the artifact and revision that ran before, for a rollback.

    With DEPLOYMENT, take over the deployment that a maintainer opened with an override.
    """
    environment, workspace, artifact = _environment(environ), _workspace(environ), _artifact(environ)
    before = _target(registry, environment, workspace).get("current") or {}
    if environ.get("DEPLOYMENT"):
        deployment = _adopted(registry, environ, environment, artifact)
        registry.post(f"deployments/{deployment['id']}/statuses", {"state": "in_progress"}, again=True)
    else:
        kind = environ.get("KIND") or "rollout"
        revision = environ.get("REVISION") or environ.get("GITHUB_SHA") or None
        body = {
            "environment": environment,
            "workspace": workspace,
            "artifact": artifact,
            "revision": revision,
            "kind": kind,
            "commits": [] if kind == "rollback" else _commits(before.get("revision"), revision),
            "run_url": run_url(environ),
            "override_reason": environ.get("OVERRIDE_REASON") or None,
            "lease_seconds": _lease_seconds(environ),
        }
        deployment = _opened(registry, body)
    put_out(
        environ,
        deployment=str(deployment["id"]),
        previous_artifact=before.get("artifact") or "",
        previous_revision=before.get("revision") or "",
    )


def deployment_status(registry: RegistryClient, environ: Environ) -> None:
    """Record a deployment's new state."""
    state = needed(environ, "STATE", "succeeded")
    deployment = environ.get("DEPLOYMENT", "")
    if not deployment and environ.get("SLIPWAY_REQUIRED") == "0":
        warn(
            environ,
            "deployment-status was skipped, because deployment-open set no id: see the warnings of deployment-open",
        )
        return
    deployment = needed(environ, "DEPLOYMENT", "the id that deployment-open printed")
    body = {"state": _STATES.get(state, state), "detail": environ.get("DETAIL") or None}
    registry.post(f"deployments/{deployment}/statuses", body, again=body["state"] == "in_progress")
    say(f"deployment {deployment}: {body['state']}")


def verification(registry: RegistryClient, environ: Environ) -> None:
    """Record a test run of DEPLOYMENT with the numbers in REPORT. Record `error` without OUTCOME and report.

    Also record `error` if another deployment to the target began during the run: then nobody knows what was tested.
    """
    report = _report(environ)
    if not environ.get("DEPLOYMENT") and environ.get("SLIPWAY_REQUIRED") == "0":
        warn(environ, "verification was skipped, because DEPLOYMENT is not set: see the warnings before the tests")
        return
    id_ = needed(environ, "DEPLOYMENT", "the id that deployment-open or current printed")
    tested = registry.get(f"deployments/{quote(id_, safe='')}")
    environment = str(tested.get("environment"))
    outcome = environ.get("OUTCOME") or _outcome(report)
    last = _target(registry, environment, str(tested.get("workspace"))).get("last_attempt") or {}
    if outcome != "cancelled" and last.get("id") != (environ.get("LAST_ATTEMPT") or id_):
        warn(
            environ,
            f"The verification is recorded as `error`, because deployment {last.get('id')} to {environment} began "
            "during the tests: run the tests again",
        )
        outcome = "error"
    body = {
        "deployment": id_,
        "suite": environ.get("SUITE") or "acceptance",
        "trigger": environ.get("TRIGGER")
        or ("schedule" if environ.get("GITHUB_EVENT_NAME") == "schedule" else "manual"),
        "outcome": outcome,
        "run_url": run_url(environ),
        **{name: report.get(name) for name in ("passed", "failed", "skipped")},
    }
    registry.post("verifications", body)
    said = ", ".join(f"{body[name]} {name}" for name in ("passed", "failed", "skipped") if body[name] is not None)
    say(f"verification of {environment} recorded: {outcome}" + (f" ({said})" if said else ""))
    summarize(environ, f"Verification of **{environment}**: {outcome}" + (f", {said}" if said else ""))


def current(registry: RegistryClient, environ: Environ) -> None:
    """Set the outputs to what a target runs. They are "" if the target runs nothing.

    `deployment`, `artifact` and `revision` are of the current deployment. `last_attempt` is the id of the deployment
    that began last: it changes with the next one.
    """
    target = _target(registry, _environment(environ), _workspace(environ))
    current, last = target.get("current") or {}, target.get("last_attempt") or {}
    put_out(
        environ,
        deployment=str(current.get("id") or ""),
        last_attempt=str(last.get("id") or ""),
        artifact=current.get("artifact") or "",
        revision=current.get("revision") or "",
    )


def bindings(registry: RegistryClient, environ: Environ) -> None:
    """Record BINDINGS, the instances of its dependencies that an environment uses. Warn of crosstalk.

    With DRY_RUN=1, only ask if Slipway accepts them. Slipway refuses crosstalk if one of the two bindings is exclusive.
    """
    environment, dry_run = _environment(environ), environ.get("DRY_RUN") == "1"
    try:
        declared = json.loads(needed(environ, "BINDINGS", '{"orders": {"instance": "arn:…", "access": "read_only"}}'))
        sent = [
            {
                "dependency": key,
                "instance": each["instance"],
                "access": each["access"],
                "exclusive": each.get("exclusive", False),
            }
            for key, each in sorted(declared.items())
        ]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(
            f"BINDINGS is no JSON object with `instance` and `access` for each dependency ({error}): correct it"
        ) from None
    body = {"bindings": sent, "dry_run": dry_run}
    answer = registry.change("PUT", f"environments/{quote(environment, safe='')}/bindings", body)
    for each in answer.get("crosstalk", []):
        uses = ", ".join(_use(use) for use in each.get("bindings", []))
        more = ", and more" if each.get("more_bindings") else ""
        warn(environ, f"Crosstalk: {each.get('instance')} is used by {uses}{more}")
    done = "would be accepted" if dry_run else "recorded"
    say(f"{len(sent)} bindings of {environment}: {done}")


def _use(use: Json) -> str:
    where = f"{use['environment']} of {use['system']}" if use.get("system") else "another system"
    return f"{where} ({use.get('access')})"


def _opened(registry: RegistryClient, body: Json) -> Json:
    try:
        opened = registry.post("deployments", body)
    except Refused as refusal:
        if refusal.slug == "promotion-denied":
            raise ToolError(words.denial(body["artifact"], body["environment"], refusal.problem)) from None
        if refusal.slug == "target-busy":
            raise ToolError(words.busy(refusal.problem.get("holder") or {})) from None
        raise
    # A repeated request gets the answer of the first one. The deployment can have ended since.
    deployment = registry.get(f"deployments/{quote(str(opened['id']), safe='')}")
    if deployment.get("state") != "in_progress":
        raise ToolError(
            f"Deployment {deployment.get('id')} of this run is already {deployment.get('state')}, so it does not hold "
            "the target: start a new attempt of the run"
        )
    return deployment


def _adopted(registry: RegistryClient, environ: Environ, environment: str, artifact: str) -> Json:
    """Return the deployment that a maintainer opened.

    Raise ToolError if the deployment is not for this run, or has ended.
    """
    deployment = registry.get(f"deployments/{needed(environ, 'DEPLOYMENT', 'its id')}")
    wanted = {
        "environment": environment,
        "workspace": _workspace(environ),
        "artifact": artifact,
        "state": "in_progress",
    }
    for name, value in wanted.items():
        if deployment.get(name) != value:
            raise ToolError(
                f"Deployment {deployment.get('id')} is not for this run: its {name} is {deployment.get(name)}, not "
                f"{value}. Ask a maintainer to open a new deployment (docs/branching.md)"
            )
    reason = deployment.get("override_reason")
    warn(
        environ,
        f"Deployment {deployment['id']} was opened by {deployment.get('created_by')}, for this reason: {reason}",
    )
    return deployment


def _target(registry: RegistryClient, environment: str, workspace: str) -> Json:
    """Return the state of a target, or {} if it does not exist. Raise ToolError if Slipway left it out of the state."""
    state = registry.get("state")
    for target in state.get("targets", []):
        if (target.get("environment"), target.get("workspace")) == (environment, workspace):
            return dict(target)
    if state.get("more_targets"):
        raise ToolError(
            f"The system has too many targets, so Slipway's state may lack {environment}/{workspace}: destroy "
            "workspaces that nobody needs, then run the job again"
        )
    return {}


def _commits(since: str | None, revision: str | None) -> list[Json]:
    """Return the commits after `since`, or [] if the checkout does not have them. Lead times need the commits."""
    if not (since and revision and _REVISION.fullmatch(since) and _REVISION.fullmatch(revision)):
        return []
    log = ["git", "-c", "i18n.logOutputEncoding=UTF-8", "log", "-z", "--format=%H %at %s"]
    log += [f"--max-count={MOST_COMMITS}", f"{since}..{revision}"]
    try:
        done = subprocess.run(log, capture_output=True, encoding="utf-8", errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        say(f"The checkout does not reach back to {since}, so no commits are recorded: set fetch-depth: 0")
        return []
    return _fitting(line.split(" ", 2) for line in done.stdout.split("\0") if line)


def _fitting(log: Iterable[list[str]]) -> list[Json]:
    """Return the newest commits, and their subjects, as far as they fit into a body."""
    commits: list[Json] = []
    bytes_of_commits = bytes_of_subjects = 0
    for sha, at, subject in log:
        commit = {"sha": sha, "authored_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at)))}
        cut = {"subject": subject[:MOST_SUBJECT]}
        bytes_of_commits += len(json.dumps(commit)) + 2
        bytes_of_subjects += len(json.dumps(cut))
        if bytes_of_commits > MOST_COMMIT_BYTES:
            break
        commits.append(commit | cut if bytes_of_subjects <= MOST_SUBJECT_BYTES else commit)
    return commits


def _lease_seconds(environ: Environ) -> int | None:
    text = environ.get("LEASE_SECONDS")
    if text and not text.isdecimal():
        raise UsageError(f"LEASE_SECONDS={text} is not a number: set whole seconds, such as 1800")
    return int(text) if text else None


def _report(environ: Environ) -> Json:
    path = environ.get("REPORT")
    if not path:
        return {}
    try:
        report = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def _outcome(report: Json) -> str:
    if report.get("failed"):
        return "failure"
    return "success" if report.get("passed") else "error"


def _environment(environ: Environ) -> str:
    return needed(environ, "ENV", "production")


def _workspace(environ: Environ) -> str:
    return environ.get("WORKSPACE") or "default"


def _artifact(environ: Environ) -> str:
    return needed(environ, "ARTIFACT", "tree:$(git rev-parse 'HEAD^{tree}')")
