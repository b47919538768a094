"""Deployments for random requests. The last one is in progress."""

from tools.checks.fuzz import Fuzz, Record, sometimes
from tools.checks.fuzz.systems import SYSTEM

ARTIFACT = "tree:5b678574ccc67c05b472831abea9e97b713c73e1"
COMMIT = "200f4b2d8e19e8e64f878567f24b464f3d7146ac"
_COMMITS = [{"sha": COMMIT, "authored_at": "2026-03-01T12:00:00Z", "subject": "Index the manifests again"}]
_DEPLOYMENTS = f"{SYSTEM}/deployments"
_OVERRIDE = {"artifact": ARTIFACT, "override_reason": "Data for the requests"}

FUZZ = Fuzz(
    after=("environments",),
    records=(
        Record(_DEPLOYMENTS, {"environment": "development", "commits": _COMMITS, **_OVERRIDE}),
        Record(f"{_DEPLOYMENTS}/1/statuses", {"state": "succeeded"}),
        Record(_DEPLOYMENTS, {"environment": "preproduction", **_OVERRIDE}),
        Record(f"{_DEPLOYMENTS}/2/statuses", {"state": "succeeded"}),
        Record(_DEPLOYMENTS, {"environment": "production", **_OVERRIDE}),
    ),
    values={"body.artifact": sometimes(ARTIFACT)},
    problems={
        "ambiguous-id": "the first digits of an id must fit one record only",
        "rollback-refused": "the target's history decides if a rollback is allowed",
        "too-large": "10,000 commits with subjects can have more than 5 MiB",
    },
    rules={
        ("open_deployment", "#/workspace"): "the workspace must exist",
        ("open_deployment", "#/artifact"): "a system uses one kind of artifact",
        (
            "open_deployment",
            "#/(state|started_at|finished_at)",
        ): "imported deployments must have these fields, and other deployments must not have them",
        ("open_deployment", "#/override_reason"): "an imported deployment passes no gate, so it can't override a gate",
        ("open_deployment", "#/(started_at|finished_at)"): "the times must be in order, after 1969, not in the future, "
        "before the service's own records",
        ("open_deployment", "#/commits"): "no commit may be listed twice",
        ("open_deployment", "#/commits/[0-9]+/authored_at"): "the time must be after 1969",
    },
)
