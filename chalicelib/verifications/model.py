"""A verification: a run of a test suite against a target."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.deployments.model import DeploymentState, period_faults
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Count, Id, PageQuery, Request, SentId, Timestamp, Url
from chalicelib.targets.model import WorkspaceState
from chalicelib.vocabulary import Artifact, EnvironmentName, PrincipalName, ShortArtifact, Slug, Suite, WorkspaceName

Trigger = Annotated[Literal["deployment", "schedule", "manual"], Meta(examples=["deployment"])]
Outcome = Annotated[
    Literal["success", "failure", "error", "cancelled"],
    Meta(examples=["success"], description="`error`: the run itself broke and says nothing about the artifact"),
]

# The answer with a target's state lists one verification of each suite.
MOST_SUITES = 100


class NewVerification(Request, kw_only=True):
    """Name the `deployment` that the suite tested.

    With `imported`, name the `environment`, its `workspace` and the `artifact` instead, and send both times.
    """

    deployment: Annotated[
        SentId | None, Meta(description="The tested deployment; its artifact is the verified one", examples=["1"])
    ] = None
    environment: EnvironmentName | None = None
    workspace: Annotated[WorkspaceName | None, Meta(description="With `imported`: by default `default`")] = None
    artifact: Artifact | None = None
    suite: Suite
    trigger: Trigger
    outcome: Outcome
    started_at: Annotated[Timestamp | None, Meta(description="The start of the run; by default `finished_at`")] = None
    finished_at: Annotated[Timestamp | None, Meta(description="The end of the run; by default now")] = None
    passed: Count | None = None
    failed: Count | None = None
    skipped: Count | None = None
    run_url: Url | None = None
    imported: bool = False

    def faults(self) -> Iterator[Fault]:
        if self.imported:
            if self.deployment is not None:
                yield Fault("#/deployment", "is found by the service for an import: leave it out")
            for name in ("environment", "artifact", "started_at", "finished_at"):
                if getattr(self, name) is None:
                    yield Fault(f"#/{name}", "is required with `imported`: send it")
        else:
            if self.deployment is None:
                yield Fault("#/deployment", "is required: send the id of the deployment that the suite tested")
            for name in ("environment", "workspace", "artifact"):
                if getattr(self, name) is not None:
                    yield Fault(f"#/{name}", "is the deployment's: leave it out, or send `imported`")
        yield from period_faults(self.started_at, self.finished_at)


class Verification(Answer, kw_only=True):
    id: Id
    system: Slug
    environment: EnvironmentName
    workspace: WorkspaceName
    deployment: Id
    artifact: Artifact
    suite: Suite
    trigger: Trigger
    outcome: Outcome
    started_at: Timestamp
    finished_at: Timestamp
    passed: Count | None
    failed: Count | None
    skipped: Count | None
    run_url: Url | None
    imported: bool
    created_by: PrincipalName
    created_at: Timestamp


class VerificationQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    workspace: WorkspaceName | None = None
    deployment: SentId | None = None
    artifact: ShortArtifact | None = None
    suite: Suite | None = None
    trigger: Trigger | None = None
    outcome: Outcome | None = None
    from_: Annotated[Timestamp | None, Meta(description="Verifications that finished at this time or later")] = (
        msgspec.field(default=None, name="from")
    )
    to: Annotated[Timestamp | None, Meta(description="Verifications that finished before this time")] = None


class VerifiedDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a deployment when a verification of it is recorded. They are read under the system's lock.

    `replaced_at` is when the next deployment to the target succeeded. None if this one is the current one, or if it has
    not succeeded. `other_suites` is the number of other suites that verified it and that no environment
    requires. It is 0 if an environment requires this one.
    """

    at: datetime
    id: str
    environment: str
    workspace: str
    workspace_state: WorkspaceState
    state: DeploymentState
    replaced_at: datetime | None
    other_suites: int


class RecordedImport(msgspec.Struct, frozen=True, kw_only=True):
    """A verification that was imported with the same key."""

    id: str
    outcome: Outcome
    trigger: Trigger
    started_at: datetime
    passed: int | None
    failed: int | None
    skipped: int | None


class ImportedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a target when a verification of it is imported. They are read under the system's lock.

    `deployment_id` is the artifact's last deployment there that had succeeded before the run. None if there is none.
    `recorded_from` is the start of the first deployment there that the service recorded itself.
    """

    at: datetime
    artifact_kind: str
    workspace_state: WorkspaceState | None
    deployment_id: str | None
    other_suites: int
    recorded_from: datetime | None
    recorded: RecordedImport | None


deployment_not_current = problem_type(
    "deployment-not-current",
    409,
    "Deployment not current",
    "A verification tests a deployment that is in progress, is the current one, or was replaced less than 24 hours "
    "ago: run the suite again on the current deployment.",
)
too_many_suites = problem_type(
    "too-many-suites",
    409,
    "Too many suites",
    f"At most {MOST_SUITES} suites that no environment requires verify a deployment: record this run under the "
    "name of one of them.",
)


constraint(
    "verifications_keep_environment",
    problems.has_history,
    "The environment has verifications, which must be kept: keep the environment and its system",
)
constraint(
    "verifications_suite_known",
    problems.invalid,
    "A suite has 1 to 64 letters, digits or characters of `._/-`: correct the name",
    "#/suite",
)
constraint(
    "verifications_late_are_imported", problems.invalid, "Only an import can be late: leave it out", "#/imported"
)
constraint(
    "verifications_trigger_known",
    problems.invalid,
    "The trigger is unknown: send `deployment`, `schedule` or `manual`",
    "#/trigger",
)
constraint(
    "verifications_outcome_known",
    problems.invalid,
    "The outcome is unknown: send `success`, `failure`, `error` or `cancelled`",
    "#/outcome",
)
constraint(
    "verifications_finish_after_start",
    problems.invalid,
    "The run finished before it started: correct one of the two times",
    "#/finished_at",
)
constraint(
    "verifications_counts_are_not_negative",
    problems.invalid,
    "A count is negative: send `passed`, `failed` and `skipped` as 0 or more",
    "#/passed",
)
constraint(
    "verifications_import_once",
    problems.conflict,
    "This verification was imported before: find it in the list of verifications",
)
constraint("verifications_are_final", problems.conflict, "A verification never changes: record a new verification")
constraint(
    "verifications_are_of_target",
    problems.invalid,
    "The environment has no workspace of this name: create the workspace first",
    "#/workspace",
)
constraint(
    "verifications_keep_workspace",
    problems.has_history,
    "The workspace has verifications, which must be kept: keep the workspace",
)
