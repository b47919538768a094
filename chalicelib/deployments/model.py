"""A deployment: an artifact on its way to a target."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib import SQL_NAME
from chalicelib.promotions.model import Blocker, BlockerCode, GateFacts, RolledBack
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Count, Id, PageQuery, Request, Text, Timestamp, Url
from chalicelib.targets.model import WorkspaceState
from chalicelib.telemetry.metrics import metric
from chalicelib.vocabulary import (
    Artifact,
    Claim,
    EnvironmentName,
    OverrideReason,
    PrincipalName,
    Sha,
    ShortArtifact,
    ShortSha,
    Slug,
    Subject,
    WorkspaceName,
)

DeploymentKind = Annotated[
    Literal["rollout", "rollback", "hotfix"],
    Meta(
        examples=["rollout"],
        description="The gate decides on rollouts and hotfixes. A rollback returns to an artifact that succeeded on "
        "the target",
    ),
]
DeploymentState = Annotated[Literal["in_progress", "succeeded", "failed", "cancelled"], Meta(examples=["succeeded"])]
FinalState = Annotated[Literal["succeeded", "failed", "cancelled"], Meta(examples=["succeeded"])]

LEASE_EXPIRED = "The lease expired"

DEPLOYMENTS = metric("deployments", in_all=False, by="end")
LEASE_EXPIRIES = metric("lease_expiries")

# Settings of a transaction in PostgreSQL: how many deployments it cancelled. The statements that cancel are queued, so
# only a later statement can read their results.
LAPSED, SUPERSEDED = f"{SQL_NAME}.lapsed", f"{SQL_NAME}.superseded"

MAX_COMMITS = 10_000
_SET_BY_SERVER = "is set by the server: leave it out, or send `imported`"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_EARLY = "is before 1970: send a later time"


class Commit(Request, kw_only=True):
    sha: Sha
    authored_at: Timestamp
    subject: Subject | None = None


class NewDeployment(Request, kw_only=True):
    """`imported` marks a deployment from the past.

    With `imported`, send `state`, `started_at` and `finished_at`. Otherwise the server sets these fields.
    """

    # MAX_COMMITS fit, also with 64 digits, long subjects and indentation. As text in an event of Lambda, which has at
    # most 6 MB, a body is longer, because quotes and line breaks are escaped.
    max_bytes = 5 * 1024 * 1024

    environment: EnvironmentName
    workspace: WorkspaceName = "default"
    artifact: Artifact
    revision: Annotated[
        Sha | None, Meta(description="The commit whose merge caused the deployment; null if unknown")
    ] = None
    kind: DeploymentKind = "rollout"
    commits: Annotated[
        tuple[Commit, ...],
        Meta(
            max_length=MAX_COMMITS,
            description="The commits that the deployment delivers: the new commits since the previous deployment",
        ),
    ] = ()
    run_url: Url | None = None
    override_reason: OverrideReason | None = None
    lease_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=14400,
            description="Seconds for which the deployment holds its target. A status `in_progress` restarts this time",
        ),
    ] = 3600
    imported: bool = False
    state: FinalState | None = None
    detail: Text | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None

    def faults(self) -> Iterator[Fault]:
        for name in ("state", "started_at", "finished_at"):
            if (getattr(self, name) is None) is self.imported:
                wanted = "is required with `imported`: send it" if self.imported else _SET_BY_SERVER
                yield Fault(f"#/{name}", wanted)
        if self.imported and self.override_reason is not None:
            yield Fault(
                "#/override_reason", "has no effect with `imported`, because no gate decides on the past: leave it out"
            )
        yield from period_faults(self.started_at, self.finished_at)
        if len({commit.sha for commit in self.commits}) < len(self.commits):
            yield Fault("#/commits", "names a commit twice: send each commit once")
        for index, commit in enumerate(self.commits):
            if commit.authored_at < EARLIEST:
                yield Fault(f"#/commits/{index}/authored_at", _TOO_EARLY)


class Deployment(Answer, kw_only=True):
    """An artifact on its way to a target. The fields `run_…` are the claims of the pipeline's token about its run."""

    id: Id
    system: Slug
    environment: EnvironmentName
    workspace: WorkspaceName
    artifact: Artifact
    revision: Sha | None
    kind: DeploymentKind
    state: DeploymentState
    detail: Text | None
    imported: bool
    commit_count: Count
    run_url: Url | None
    run_id: Annotated[Claim | None, Meta(examples=["4711"])]
    run_attempt: Annotated[Claim | None, Meta(examples=["1"])]
    run_sha: Claim | None
    run_actor: Annotated[Claim | None, Meta(examples=["jane"])]
    override_reason: OverrideReason | None
    overridden: Annotated[
        tuple[BlockerCode, ...] | None,
        Meta(description="The codes of the blockers that the override passed; null if there was none"),
    ]
    promotion_id: Annotated[
        Id | None, Meta(description="The decision with its blockers; null if the gate was not asked")
    ]
    lease_expires_at: Timestamp | None
    started_at: Timestamp
    finished_at: Timestamp | None
    created_by: PrincipalName


class DeploymentQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    workspace: WorkspaceName | None = None
    state: DeploymentState | None = None
    overridden: Annotated[bool | None, Meta(description="Deployments that passed blockers, or those that did not")] = (
        None
    )
    artifact: ShortArtifact | None = None
    revision: ShortSha | None = None
    kind: DeploymentKind | None = None
    from_: Annotated[Timestamp | None, Meta(description="Deployments that started at this time or later")] = (
        msgspec.field(default=None, name="from")
    )
    to: Annotated[Timestamp | None, Meta(description="Deployments that started before this time")] = None


class NewStatus(Request, kw_only=True):
    state: Annotated[
        DeploymentState, Meta(description="`in_progress` renews the lease. Any other state finishes the deployment")
    ]
    detail: Text | None = None


class Status(Answer, kw_only=True):
    id: Id
    state: DeploymentState
    detail: Text | None
    created_at: Timestamp
    created_by: PrincipalName


class Holder(Answer, kw_only=True):
    """The deployment that holds a target."""

    id: Id
    run_url: Url | None
    lease_expires_at: Timestamp


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The record of an artifact on the target itself. A rollback to the artifact depends on this record.

    `deployed_at` is when its latest deployment there succeeded. None if none has. `failed_suites` failed in the latest
    verifications of the artifact there. `rolled_back` is a rollback behind the artifact since then.
    """

    deployed_at: datetime | None
    failed_suites: tuple[str, ...]
    rolled_back: RolledBack | None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that is recorded already, by an import with the same key or by the same attempt of a run.

    The run's deployment is the last one to the target: after another one, the run opens a new deployment.
    """

    id: str
    kind: DeploymentKind
    state: DeploymentState
    started_at: datetime
    commit_count: int


class OpeningFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a target and an artifact when a deployment opens. They are read under the system's lock.

    `last_state` is the state of the deployment to the target that started last. `recorded_from` is the start of the
    first deployment there that the service recorded itself. `lapsed` and `superseded` count the deployments that this
    transaction cancelled before.
    """

    at: datetime
    artifact_kind: str
    workspace_state: WorkspaceState | None
    holder: Holder | None
    current_artifact: str | None
    last_state: DeploymentState | None
    recorded_from: datetime | None
    standing: Standing
    gate: GateFacts
    recorded: Recorded | None
    lapsed: int
    superseded: int


target_busy = problem_type(
    "target-busy",
    409,
    "Target busy",
    "Another deployment holds the target until it finishes or its lease expires: wait for `holder`.",
    holder=Holder,
)
rollback_refused = problem_type(
    "rollback-refused",
    422,
    "Rollback refused",
    "A rollback needs an artifact that succeeded on this target and is good: `blockers` says what is wrong with this "
    "one. Choose another artifact. In an emergency a maintainer may send an `override_reason`.",
    blockers=list[Blocker],
)
deployment_final = problem_type(
    "deployment-final",
    409,
    "Deployment final",
    "The deployment is finished and never changes: open a new deployment.",
)
lease_expired = problem_type(
    "lease-expired",
    409,
    "Lease expired",
    "The deployment lost its target and counts as cancelled. Open another one with a longer lease.",
)


def period_faults(started_at: datetime | None, finished_at: datetime | None) -> Iterator[Fault]:
    """Yield a fault if a period ends before it starts, and a fault for each time before 1970."""
    if started_at and finished_at and started_at > finished_at:
        yield Fault("#/finished_at", "is before `started_at`: correct one of the two")
    for name, moment in {"started_at": started_at, "finished_at": finished_at}.items():
        if moment is not None and moment < EARLIEST:
            yield Fault(f"#/{name}", _TOO_EARLY)


constraint(
    "deployments_keep_environment",
    problems.has_history,
    "The environment has deployments, which must be kept: keep the environment and its system",
)
constraint("commit_sha_known", problems.invalid, "A commit has 40 or 64 hex digits: send its full id")
constraint(
    "deployments_numbers_are_bounded",
    problems.invalid,
    f"A deployment has at most {MAX_COMMITS} commits and a lease of 60 to 14400 seconds: send other numbers",
)
constraint(
    "deployments_kind_known",
    problems.invalid,
    "The kind is unknown: send `rollout`, `rollback` or `hotfix`",
    "#/kind",
)
constraint(
    "deployment_state_known",
    problems.invalid,
    "The state is unknown: send `in_progress`, `succeeded`, `failed` or `cancelled`",
    "#/state",
)
constraint(
    "deployments_finish_with_their_state",
    problems.invalid,
    "Only a finished deployment has a finish time: send a final `state` and `finished_at` together",
    "#/finished_at",
)
constraint(
    "deployments_finish_after_start",
    problems.invalid,
    "The deployment finished before it started: correct one of the two times",
    "#/finished_at",
)
constraint(
    "deployments_hold_a_lease_or_are_imported",
    problems.invalid,
    "Only an imported deployment has no lease, and it must be finished: import it after it has finished",
    "#/imported",
)
constraint(
    "deployments_override_has_reason",
    problems.invalid,
    "An override needs a reason: send 10 to 500 characters",
    "#/override_reason",
)
constraint(
    "deployments_one_at_a_time", problems.conflict, "Another deployment to the target is in progress: wait for it"
)
constraint("deployments_import_once", problems.conflict, "This was imported before: find it in the list of deployments")
constraint("deployments_are_final", problems.conflict, "A finished deployment never changes: open a new deployment")
constraint("deployments_are_kept", problems.has_history, "A deployment is never deleted: keep it")
constraint("deployments_late_are_imported", problems.invalid, "Only an import can be late: leave it out", "#/imported")
constraint("deployment_commits_once", problems.invalid, "A commit is listed twice: list it once", "#/commits")
constraint(
    "deployments_go_to_target",
    problems.invalid,
    "The environment has no workspace of this name: create the workspace first",
    "#/workspace",
)
constraint(
    "deployments_keep_workspace",
    problems.has_history,
    "The workspace has deployments, which must be kept: keep the workspace",
)
