"""A verification: a run of a test suite against a target."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.deployments.model import period_faults
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Count, Id, PageQuery, Request, Timestamp, Url
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
    environment: EnvironmentName
    workspace: WorkspaceName = "default"
    artifact: Annotated[
        Artifact | None, Meta(description="The verified artifact; by default the one that runs on the target")
    ] = None
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
            for name in ("artifact", "started_at", "finished_at"):
                if getattr(self, name) is None:
                    yield Fault(f"#/{name}", "is required with `imported`: send it")
        yield from period_faults(self.started_at, self.finished_at)


class Verification(Answer, kw_only=True):
    id: Id
    system: Slug
    environment: EnvironmentName
    workspace: WorkspaceName
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
    artifact: ShortArtifact | None = None
    suite: Suite | None = None
    trigger: Trigger | None = None
    outcome: Outcome | None = None
    from_: Annotated[Timestamp | None, Meta(description="Verifications that finished at this time or later")] = (
        msgspec.field(default=None, name="from")
    )
    to: Annotated[Timestamp | None, Meta(description="Verifications that finished before this time")] = None


class VerifiedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a target when a verification of it is recorded. They are read under the system's lock.

    `other_suites` is the number of suites, except this one, that verified the artifact there.
    """

    at: datetime
    artifact_kind: str
    workspace_state: WorkspaceState | None
    current_artifact: str | None
    other_suites: int
    recorded_id: str | None


artifact_not_current = problem_type(
    "artifact-not-current",
    409,
    "Artifact not current",
    "The artifact does not run on the target now: verify the artifact that runs there, or deploy your artifact again.",
)
too_many_suites = problem_type(
    "too-many-suites",
    409,
    "Too many suites",
    f"At most {MOST_SUITES} suites verify an artifact on a target: record this run under the name of one of them.",
)


constraint(
    "verifications_keep_environment",
    problems.has_history,
    "The environment has verifications, which must be kept: keep the environment and its system",
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
