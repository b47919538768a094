"""Explain why Slipway refused a request, when the request may succeed, and what to do next."""

from collections.abc import Mapping
from typing import Any

Blocker = Mapping[str, Any]

# The next step for each blocker; {suite} and {environment} come from the blocker.
REMEDIES = {
    "not-deployed": "merge the change into the branch {environment}, and wait until its run has deployed the change",
    "rolled-back": "fix the fault in a new artifact; if the artifact has no fault, deploy it to the environment before "
    "{environment} again",
    "not-verified": "run {suite} against {environment} and record the result: use the workflow `verify`, or "
    "`make acceptance` and `python -m tools client verification`",
    "verification-failed": "fix the fault and deploy the fix to {environment}; if the artifact has no fault, run "
    "{suite} there again and record the result (workflow `verify`)",
    "verification-expired": "run {suite} against {environment} again and record the result (workflow `verify`)",
    "soaking": "wait, then run this job again; without a time, deploy the artifact to {environment} again",
    "not-approved": "ask another maintainer to approve the artifact, then run this job again",
    "frozen": "wait, then run this job again, or ask the owner of the hold to release it",
    "pinned": "ask the owner of the hold to release the pin",
    "marked-bad": "fix the fault in a new artifact",
}
_UNKNOWN = "see docs/problems.md"


def denial(artifact: str, environment: str, decision: Mapping[str, Any]) -> str:
    """Say why an artifact may not enter an environment, with one line for each blocker, and what starts anew."""
    blockers = decision.get("blockers") or []
    lines = [f"{artifact} may not enter {environment} yet:", *(f"- {_blocker(each)}" for each in blockers)]
    if decision.get("more_blockers"):
        lines.append("- and more")
    if required := decision.get("still_required"):
        suites = ", ".join(map(_one_line, required["suites"])) or "a suite"
        lines.append(
            f"After its next deployment to the environment before, the artifact needs success of {suites} there, and "
            f"{required['soak_seconds']} s of soak. Approvals that are missing: {required['approvals']}."
        )
    return "\n".join(lines)


def busy(holder: Mapping[str, Any]) -> str:
    """Say which deployment holds the target, and until when."""
    run = holder.get("run_url") or f"deployment {holder.get('id')}"
    return (
        f"Another deployment holds the target: {_one_line(run)}, until {_one_line(holder.get('lease_expires_at'))} at "
        "the latest. Run this job again when that deployment has ended"
    )


def contradiction(deployment: str, ended: str, state: str, refusal: str) -> str:
    """Say that a deployment had ended otherwise, and how several jobs record one end."""
    return (
        f"Deployment {deployment} is recorded as {ended}, so {state} is not recorded. {refusal}. If several jobs "
        "deploy together, let one job record the end after all of them"
    )


def _blocker(blocker: Blocker) -> str:
    code, environment = _one_line(blocker.get("code")), _one_line(blocker.get("environment"))
    suite = _one_line(blocker.get("suite") or "")
    where = f"{code} in {environment}" + (f" ({suite})" if suite else "")
    remedy = REMEDIES.get(code, _UNKNOWN).format(suite=suite or "the acceptance tests", environment=environment)
    lifts = (
        f" This blocker ends by itself at {_one_line(blocker['available_at'])}." if blocker.get("available_at") else ""
    )
    return f"{where}: {_one_line(blocker.get('detail'))}.{lifts} Next step: {remedy}."


def _one_line(value: Any) -> str:
    """Put other people's text on one line: GitHub runs commands at the start of a line."""
    return " ".join(str(value).split())
