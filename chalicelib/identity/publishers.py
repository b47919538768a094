"""Publishers: which pipelines may write for a system, by what GitHub Actions claims of their runs.

A claim is checked by one function, named for it in `CLAIM_CHECKS`; another check is another row. `sub` is not among
them: its form is a setting of the repository, so whoever may change that could choose what it says. Ids are checked
because a name can be given up, and taken by somebody else.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Literal

import msgspec

Event = Literal["push", "workflow_dispatch", "schedule", "release", "workflow_run"]
RecordKind = Literal["deployments", "verifications", "workspaces"]


class GitHubClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub Actions claims of a run, as far as it is looked at. See "OpenID Connect reference" in its docs."""

    sub: str
    exp: float
    repository: str
    repository_id: str
    repository_owner_id: str
    workflow_ref: str
    job_workflow_ref: str | None = None
    event_name: str
    ref: str
    environment: str | None = None
    sha: str
    run_id: str
    run_attempt: str
    actor: str | None = None


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that lets a pipeline write for a system.

    `workflow` is the path of the workflow that was started; `called_workflow` that of the reusable one in which the
    job is, with its repository and ref, if it may be in one. `environments` maps each environment that it may write
    for to what the claim `environment` has to be, null for anything. `any_revision` lifts the rule that a
    rollout is of the commit that the run is of.
    """

    id: str
    system: str
    issuer: str
    repository_owner_id: str
    repository_id: str
    repository: str
    workflow: str
    called_workflow: str | None
    events: tuple[Event, ...]
    ref: str
    environments: dict[str, str | None]
    kinds: tuple[RecordKind, ...]
    any_revision: bool


# One column: the publishers, of whatever system, that are for the repository of a token.
CANDIDATES = """
    (
        SELECT coalesce(json_agg(json_build_object(
            'id', p.id::text, 'system', s.key, 'issuer', p.issuer,
            'repository_owner_id', p.repository_owner_id, 'repository_id', p.repository_id,
            'repository', p.repository, 'workflow', p.workflow, 'called_workflow', p.called_workflow,
            'events', p.events, 'ref', p.ref, 'environments', p.environments, 'kinds', p.kinds,
            'any_revision', p.any_revision
        ) ORDER BY p.id), '[]')
        FROM publishers p JOIN systems s ON s.id = p.system_id
        WHERE p.issuer = %(issuer)s AND p.repository_id = %(repository_id)s
            AND p.repository_owner_id = %(repository_owner_id)s
    )
"""


def mismatches(publisher: Publisher, claims: GitHubClaims) -> list[str]:
    """The claims that do not fit a publisher. None: it is this pipeline that the publisher trusts."""
    return [claim for claim, fits in CLAIM_CHECKS.items() if not fits(publisher, claims)]


def permitting(
    publishers: Sequence[Publisher], claims: GitHubClaims, kind: RecordKind, environment: str
) -> Iterator[Publisher]:
    """Those of fitting publishers that let this run write records of a kind for an environment."""
    for publisher in publishers:
        if kind in publisher.kinds and environment in publisher.environments:
            wanted = publisher.environments[environment]
            if wanted is None or claims.environment == wanted:
                yield publisher


def _same_repository(publisher: Publisher, claims: GitHubClaims) -> bool:
    """GitHub's names have no case."""
    return claims.repository.casefold() == publisher.repository.casefold()


def _started_the_workflow(publisher: Publisher, claims: GitHubClaims) -> bool:
    """The workflow that was started is this one, in its version of the ref that is checked."""
    return claims.workflow_ref == f"{claims.repository}/{publisher.workflow}@{claims.ref}"


def _runs_the_workflow(publisher: Publisher, claims: GitHubClaims) -> bool:
    """The job's own workflow: the started one, or the reusable one that it may call."""
    if publisher.called_workflow is None:
        return claims.job_workflow_ref in (None, claims.workflow_ref)
    return claims.job_workflow_ref is not None and matches(publisher.called_workflow, claims.job_workflow_ref)


CLAIM_CHECKS: dict[str, Callable[[Publisher, GitHubClaims], bool]] = {
    "repository_owner_id": lambda publisher, claims: claims.repository_owner_id == publisher.repository_owner_id,
    "repository_id": lambda publisher, claims: claims.repository_id == publisher.repository_id,
    "repository": _same_repository,
    "workflow_ref": _started_the_workflow,
    "job_workflow_ref": _runs_the_workflow,
    "event_name": lambda publisher, claims: claims.event_name in publisher.events,
    "ref": lambda publisher, claims: matches(publisher.ref, claims.ref),
}


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is of this text as a whole. `*` stands for anything within one segment."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))
