"""Ask Slipway if an artifact may be promoted, and record what the pipeline did.

This module uses only the standard library: the actions `record` and `may-promote` run it in other repositories' jobs.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tools.checkout import ToolError, UsageError
from tools.slipway_client import delivered, fitting, words
from tools.slipway_client.client import Json, Refused, RegistryClient, Unreachable
from tools.slipway_client.report import Report
from tools.slipway_client.runner import needed, put_out, say, summarize, warn

Environ = Mapping[str, str]  # commands.py lists the commands and their variables

# GitHub's result of a job or a step, and the deployment's state that the result stands for. A step that was skipped
# after the deployment was opened has changed nothing.
_STATES = {"success": "succeeded", "failure": "failed", "skipped": "cancelled"}
_REPLAYED = " replayed: an earlier step of this attempt recorded it, and nothing was recorded now"


class TargetBusy(ToolError):
    """Another deployment, the `holder`, holds the target."""

    def __init__(self, holder: Json) -> None:
        self.holder = holder
        super().__init__(words.busy(holder))


def recorded(
    step: Callable[[RegistryClient, Environ], None], environ: Environ, pause: Callable[[float], None] = time.sleep
) -> None:
    """Run a step, or raise ToolError.

    Without SLIPWAY_URL, only warn. With SLIPWAY_REQUIRED=0, only warn if Slipway does not answer.
    """
    name = step.__name__.replace("_", "-")
    environ = {variable: value.strip() for variable, value in environ.items()}
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
    target = _target_if_known(registry, environ, environment, workspace)
    before, last = target.get("current") or {}, target.get("last_attempt") or {}
    # Before the deployment opens: if outputs can't be set, nobody would get the id of the deployment to end it.
    put_out(
        environ,
        previous_artifact=before.get("artifact") or "",
        previous_revision=before.get("revision") or "",
    )
    if environ.get("DEPLOYMENT"):
        deployment = _adopted(registry, environ, environment, artifact)
        registry.post(f"deployments/{deployment['id']}/statuses", {"state": "in_progress"}, again=True)
    else:
        kind = environ.get("KIND") or "rollout"
        revision = delivered.commit_of(environ.get("REVISION") or environ.get("GITHUB_SHA") or None)
        if kind == "rollback" and not environ.get("REVISION"):  # the run's commit is not what it goes back to
            former = _deployments(registry, environment, workspace, 1, artifact=artifact, state="succeeded")
            revision = former[0].get("revision") if former else None
        body = {
            "environment": environment,
            "workspace": workspace,
            "artifact": artifact,
            "revision": revision,
            "kind": kind,
            "commits": [] if kind == "rollback" else delivered.commits(environ, before.get("revision"), revision),
            "run_url": fitting.run_url(environ),
            "override_reason": fitting.text(environ, "OVERRIDE_REASON", fitting.MOST_REASON),
            "lease_seconds": fitting.lease_seconds(environ),
        }
        deployment = _opened(registry, body, last)
    put_out(environ, deployment=str(deployment["id"]))


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
    body = {"state": _STATES.get(state, state), "detail": fitting.text(environ, "DETAIL", fitting.MOST_DETAIL)}
    address = f"deployments/{quote(deployment, safe='')}"
    try:
        recorded = registry.record(f"{address}/statuses", body, again=body["state"] == "in_progress")
    except Refused as refusal:
        if refusal.slug not in ("deployment-final", "lease-expired"):
            raise
        ended = registry.get(address).get("state")
        if ended != body["state"]:
            raise ToolError(words.contradiction(deployment, str(ended), str(body["state"]), str(refusal))) from None
        say(f"deployment {deployment}: {ended}, as it was recorded before. Nothing was recorded now")
    else:
        say(f"deployment {deployment}: {body['state']}" + (_REPLAYED if recorded.replayed else ""))


def verification(registry: RegistryClient, environ: Environ) -> None:
    """Record a test run of DEPLOYMENT with the numbers in REPORT. Record `error` without OUTCOME and report.

    Also record `error` if another deployment to the target began during the run: then nobody knows what was tested. If
    REPORT can't be read, record the run without its numbers, then raise ToolError with the file's name.
    """
    report = Report(environ)
    if not environ.get("DEPLOYMENT") and environ.get("SLIPWAY_REQUIRED") == "0":
        warn(environ, "verification was skipped, because DEPLOYMENT is not set: see the warnings before the tests")
        return
    id_ = needed(environ, "DEPLOYMENT", "the id that deployment-open or current printed")
    tested = registry.get(f"deployments/{quote(id_, safe='')}")
    environment = str(tested.get("environment"))
    outcome = environ.get("OUTCOME") or report.outcome
    if outcome == "skipped":  # GitHub's outcome of a step that did not run
        outcome = "cancelled"
    last = _last(registry, environment, str(tested.get("workspace")))
    if outcome != "cancelled" and last != (environ.get("LAST_ATTEMPT") or id_):
        warn(
            environ,
            f"The verification is recorded as `error`, because deployment {last} to {environment} was in progress "
            "or began during the tests: run the tests again",
        )
        outcome = "error"
    body = {
        "deployment": id_,
        "suite": environ.get("SUITE") or "acceptance",
        "trigger": environ.get("TRIGGER")
        or ("schedule" if environ.get("GITHUB_EVENT_NAME") == "schedule" else "manual"),
        "outcome": outcome,
        "run_url": fitting.run_url(environ),
        **report.counts,
    }
    # Two runs of a suite can have the same numbers: in two jobs, or before and after a run that had others.
    jobs = (environ.get("GITHUB_JOB", ""), environ.get("RUNNER_NAME", ""))
    seen = (last, report.digest, _other_result(registry, body), *jobs)
    recorded = registry.record("verifications", body, seen=seen)
    said = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count is not None)
    how = (f" ({said})" if said else "") + (_REPLAYED if recorded.replayed else " recorded")
    say(f"verification of {environment}: {outcome}{how}")
    summarize(environ, f"Verification of **{environment}**: {outcome}{how}")
    if report.fault:
        raise ToolError(report.fault)


def current(registry: RegistryClient, environ: Environ) -> None:
    """Set the outputs to what a target runs. They are "" if the target runs nothing.

    `deployment`, `artifact` and `revision` are of the current deployment. `last_attempt` is the id of the deployment
    that began last: it changes with the next one. It is "" while a deployment is in progress, because nobody can know
    what tests meet then.
    """
    current, last = standing(registry, environ)
    if last.get("state") == "in_progress":
        warn(environ, f"Deployment {last.get('id')} is in progress: tests that begin now are recorded as `error`")
        last = {}
    put_out(
        environ,
        deployment=str(current.get("id") or ""),
        last_attempt=str(last.get("id") or ""),
        artifact=current.get("artifact") or "",
        revision=current.get("revision") or "",
    )


def standing(registry: RegistryClient, environ: Environ) -> tuple[Json, Json]:
    """Return a target's current deployment, and the deployment that began last. {} stands for none."""
    target = _target(registry, _environment(environ), _workspace(environ))
    return target.get("current") or {}, target.get("last_attempt") or {}


def bindings(registry: RegistryClient, environ: Environ) -> None:
    """Record BINDINGS, the instances of its dependencies that an environment uses. Warn of crosstalk.

    With DRY_RUN=1, only ask if Slipway accepts them. Slipway refuses crosstalk if one of the bindings is exclusive.
    """
    environment, dry_run = _environment(environ), environ.get("DRY_RUN") == "1"
    try:
        said = needed(environ, "BINDINGS", '{"orders": {"instance": "arn:…", "access": "read_only"}}')
        declared = json.loads(said, object_pairs_hook=_unique)
        # Slipway refuses a field that it does not know, such as a misspelled `exclusive`.
        sent = [
            {"dependency": key, "instance": each["instance"], "access": each["access"], **each}
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


def _unique(members: list[tuple[str, Any]]) -> Json:
    """Refuse members with the same name: Python keeps the last of them, and a binding would be lost."""
    if len(unique := dict(members)) < len(members):
        raise ValueError("it has a key twice")
    return unique


def _use(use: Json) -> str:
    where = f"{use['environment']} of {use['system']}" if use.get("system") else "another system"
    return f"{where} ({use.get('access')})"


def _opened(registry: RegistryClient, body: Json, last: Json) -> Json:
    """Open a deployment. `last` is the one to the target that began last, or {}."""
    try:
        opened = registry.record("deployments", body, seen=(_last_other(registry, body, last),))
    except Refused as refusal:
        if refusal.slug == "promotion-denied":
            raise ToolError(words.denial(body["artifact"], body["environment"], refusal.problem)) from None
        if refusal.slug == "target-busy":
            raise TargetBusy(refusal.problem.get("holder") or {}) from None
        raise
    if not opened.existing:
        return opened.document
    # A repeated request gets the answer of the first one. The deployment can have ended since.
    deployment = registry.get(f"deployments/{quote(str(opened.document['id']), safe='')}")
    if deployment.get("state") != "in_progress":
        raise ToolError(
            f"Deployment {deployment.get('id')} of this run is already {deployment.get('state')}, so it does not hold "
            "the target: start a new attempt of the run"
        )
    if opened.replayed:
        say(f"deployment {deployment['id']}{_REPLAYED}")
    return deployment


def _last_other(registry: RegistryClient, body: Json, last: Json) -> str:
    """Return the id of the last deployment to the target that is no repetition of this one, or "".

    A run can deploy an artifact, then another one, then the first one again. That is no repeated request.
    """

    def is_other(each: Json) -> bool:
        return (each.get("artifact"), each.get("kind")) != (body["artifact"], body["kind"])

    known = [last] if last else []
    if last and not is_other(last):
        known = _deployments(registry, body["environment"], body["workspace"], 200)
    return next((str(each["id"]) for each in known if is_other(each)), "")


def _last(registry: RegistryClient, environment: str, workspace: str) -> str:
    """Return the id of the deployment to a target that began last."""
    return next((str(each["id"]) for each in _deployments(registry, environment, workspace, 1)), "")


def _other_result(registry: RegistryClient, body: Json) -> str:
    """Return the id of the suite's last verification of the deployment with another result than this one, or ""."""
    names = ("outcome", "passed", "failed", "skipped")
    same = registry.get("verifications", deployment=body["deployment"], suite=body["suite"], limit="200")["items"]
    return next((str(each["id"]) for each in same if any(each[name] != body.get(name) for name in names)), "")


def _deployments(registry: RegistryClient, environment: str, workspace: str, limit: int, **filters: str) -> list[Json]:
    """Return the deployments to a target that began last, the newest first."""
    answer = registry.get("deployments", environment=environment, workspace=workspace, limit=str(limit), **filters)
    found: list[Json] = answer["items"]
    return found


def _adopted(registry: RegistryClient, environ: Environ, environment: str, artifact: str) -> Json:
    """Return the deployment that a maintainer opened.

    Raise ToolError if the deployment is not for this run, or has ended.
    """
    deployment = registry.get(f"deployments/{quote(needed(environ, 'DEPLOYMENT', 'its id'), safe='')}")
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


def _target_if_known(registry: RegistryClient, environ: Environ, environment: str, workspace: str) -> Json:
    """Return the state of a target. Only warn if Slipway left it out: a deployment can open without it."""
    try:
        return _target(registry, environment, workspace)
    except (Refused, Unreachable):
        raise
    except ToolError as unknown:
        warn(environ, f"The artifact that ran before, and the delivered commits, are not recorded. {unknown}")
        return {}


def _environment(environ: Environ) -> str:
    return needed(environ, "ENV", "production")


def _workspace(environ: Environ) -> str:
    return environ.get("WORKSPACE") or "default"


def _artifact(environ: Environ) -> str:
    return needed(environ, "ARTIFACT", "tree:$(git rev-parse 'HEAD^{tree}')")
