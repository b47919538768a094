"""An approval: a person's consent that an artifact enters an environment."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, PageQuery, Request, Text, Timestamp
from chalicelib.vocabulary import Artifact, EnvironmentName, PrincipalName, Reason, Slug

LIFETIME_DAYS = 14
# The gate reads at most this number of people. No environment requires more than five approvals.
MOST_COUNTED = 20

ApprovalState = Annotated[
    Literal["active", "used", "withdrawn", "expired", "void"],
    Meta(
        examples=["active"],
        description="Used when a deployment of the artifact to the environment succeeds. Void when the artifact is "
        f"marked bad. Expired after {LIFETIME_DAYS} days",
    ),
]


class NewApproval(Request, kw_only=True):
    environment: EnvironmentName
    artifact: Artifact
    comment: Text | None = None


class Approval(Answer, kw_only=True):
    id: Id
    system: Slug
    environment: EnvironmentName
    artifact: Artifact
    comment: Text | None
    state: ApprovalState
    created_at: Timestamp
    created_by: PrincipalName
    expires_at: Timestamp
    withdrawn_at: Timestamp | None
    withdrawn_by: PrincipalName | None
    withdrawal_reason: Reason | None


class ApprovalQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    artifact: Artifact | None = None
    state: ApprovalState | None = None


class Withdrawal(Request, kw_only=True):
    reason: Reason | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person is one pair of issuer and subject."""

    issuer: str
    subject: str


class ApprovalFact(msgspec.Struct, frozen=True, kw_only=True):
    """A person who approves an artifact for an environment, as the gate reads it."""

    issuer: str
    subject: str
    expires_at: datetime


class NewApprovalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that a new approval depends on. They are read under the system's lock.

    `existing` is the id of the person's own active approval. `bad_mark` is the id of the hold that marks the artifact.
    """

    at: datetime
    artifact_kind: str
    existing: str | None
    bad_mark: str | None


approval_ended = problem_type(
    "approval-ended",
    409,
    "Approval ended",
    "The approval was used or withdrawn, has expired, or is void: it no longer counts, so it can't be withdrawn.",
)

constraint(
    "approvals_keep_environment",
    problems.has_history,
    "The environment has approvals, which must be kept: keep the environment and its system",
)
constraint(
    "approvals_withdrawal_is_complete",
    problems.invalid,
    "A withdrawal needs its time and its caller: withdraw the approval by its own operation",
)
constraint("approvals_are_final", approval_ended, "The approval was withdrawn, and never changes: approve again")
constraint("approvals_are_kept", problems.has_history, "An approval is never deleted: withdraw the approval")
