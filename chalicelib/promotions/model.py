"""A promotion: the decision whether an artifact may enter an environment, and the facts that it rests on."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, PageQuery, Request, Timestamp
from chalicelib.vocabulary import Artifact, EnvironmentName, Suite

BlockerCode = Literal[
    "not-deployed",
    "not-verified",
    "verification-failed",
    "verification-expired",
    "soaking",
    "frozen",
    "pinned",
    "marked-bad",
]
DecisionWord = Annotated[Literal["granted", "denied"], Meta(examples=["granted"])]


class Blocker(Answer, kw_only=True):
    """One reason why an artifact may not enter an environment. `available_at`: when it lifts by itself."""

    code: BlockerCode
    environment: Annotated[EnvironmentName, Meta(description="Where the obstacle lies")]
    suite: Suite | None = None
    detail: Annotated[str, Meta(examples=["acceptance has not succeeded in development since"])]
    available_at: Timestamp | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says: granted, or denied for these reasons."""

    blockers: tuple[Blocker, ...]

    @property
    def word(self) -> DecisionWord:
        return "denied" if self.blockers else "granted"


class CountedVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The latest verification of a suite that says something of the artifact."""

    suite: str
    outcome: Literal["success", "failure"]
    finished_at: datetime


class GateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gate of one environment knows about one artifact.

    `environment_before` is the next lower existing rank, None for the lowest environment. There, `deployed_at` is when
    the artifact's latest succeeded deployment finished, and `verifications` are those that started since, the
    latest of each suite, without those that ended in `error` or `cancelled`.
    """

    environment: str
    required_soak_seconds: int
    verification_max_age_seconds: int | None
    required_suites: tuple[str, ...]
    environment_before: str | None
    deployed_at: datetime | None
    verifications: tuple[CountedVerification, ...]


class NewPromotion(Request, kw_only=True):
    artifact: Artifact
    environment: EnvironmentName
    dry_run: Annotated[bool, Meta(description="Only tell what would be decided; record nothing")] = False


class Promotion(Answer, kw_only=True):
    """`id` is null for a dry run, which is not recorded."""

    id: Id | None
    artifact: Artifact
    environment: EnvironmentName
    decision: DecisionWord
    blockers: list[Blocker]
    decided_at: Timestamp


class PromotionQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    artifact: Artifact | None = None
    decision: DecisionWord | None = None


promotion_denied = problem_type(
    "promotion-denied",
    409,
    "Promotion denied",
    "The artifact may not enter the environment: each entry of `blockers` says why, and when it lifts if it does so "
    "by itself. A maintainer may pass with an `override_reason`.",
    blockers=list[Blocker],
)
