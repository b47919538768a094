"""A promotion: the decision whether an artifact may enter an environment, and the facts behind it."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, PageQuery, Request, Timestamp
from chalicelib.vocabulary import Artifact, EnvironmentName, ShortArtifact, Suite

BlockerCode = Literal[
    "not-deployed",
    "not-verified",
    "verification-failed",
    "verification-expired",
    "soaking",
]
DecisionWord = Annotated[Literal["granted", "denied"], Meta(examples=["granted"])]


MOST_BLOCKERS = 100


class Blocker(Answer, kw_only=True):
    """A reason why an artifact may not enter an environment.

    `available_at` is when the blocker ends by itself; null if the blocker does not end by itself.
    """

    code: BlockerCode
    environment: Annotated[EnvironmentName, Meta(description="The environment that the blocker is about")]
    suite: Suite | None = None
    detail: Annotated[
        str, Meta(examples=["acceptance failed in development: correct the fault, then run the suite again"])
    ]
    available_at: Timestamp | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the gate: granted, or denied because of the blockers.

    `blockers` has at most MOST_BLOCKERS. `more_blockers` is true if there are more.
    """

    blockers: tuple[Blocker, ...]
    more_blockers: bool = False

    @property
    def word(self) -> DecisionWord:
        return "denied" if self.blockers else "granted"


class CountedVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The latest verification of a suite that ended in success or failure."""

    suite: str
    outcome: Literal["success", "failure"]
    finished_at: datetime


class EnvironmentBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The environment with the next lower rank, and the record of the artifact there.

    `deployed_at` is when the artifact's latest successful deployment finished. None if no deployment succeeded.
    `verifications` has each suite's latest verification that started since then, sorted by suite. Verifications with
    the outcome `error` or `cancelled` are left out.
    """

    name: str
    deployed_at: datetime | None
    verifications: tuple[CountedVerification, ...]


class GateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The requirements of an environment, and the record of the artifact. `before` is None for the lowest rank."""

    environment: str
    required_soak_seconds: int
    verification_max_age_seconds: int | None
    required_suites: tuple[str, ...]
    before: EnvironmentBefore | None


MoreBlockers = Annotated[
    bool, Meta(description=f"True if there are more blockers: `blockers` has the first {MOST_BLOCKERS}")
]


class NewPromotion(Request, kw_only=True):
    artifact: Artifact
    environment: EnvironmentName
    dry_run: Annotated[bool, Meta(description="Answer with the decision, and do not record it")] = False


class Promotion(Answer, kw_only=True):
    """`id` is null for a dry run, which is not recorded."""

    id: Id | None
    artifact: Artifact
    environment: EnvironmentName
    decision: DecisionWord
    blockers: list[Blocker]
    more_blockers: MoreBlockers
    decided_at: Timestamp

    @classmethod
    def unrecorded(cls, artifact: str, environment: str, decision: Decision, at: datetime) -> "Promotion":
        return cls(
            id=None,
            artifact=artifact,
            environment=environment,
            decision=decision.word,
            blockers=list(decision.blockers),
            more_blockers=decision.more_blockers,
            decided_at=at,
        )


class PromotionQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    artifact: ShortArtifact | None = None
    decision: DecisionWord | None = None


promotion_denied = problem_type(
    "promotion-denied",
    409,
    "Promotion denied",
    "The artifact may not enter the environment. Each entry of `blockers` says why and what to do. Then try again. "
    "In an emergency a maintainer may send an `override_reason`.",
    blockers=list[Blocker],
    more_blockers=MoreBlockers,
)


constraint(
    "promotions_keep_environment",
    problems.has_history,
    "The environment has promotions, which must be kept: keep the environment and its system",
)
constraint(
    "promotions_blockers_are_few",
    problems.invalid,
    f"A decision is recorded with at most {MOST_BLOCKERS} blockers: record the first ones",
)
constraint("promotions_decision_known", problems.invalid, "The decision is unknown: record `granted` or `denied`")
