"""A promotion: the decision whether an artifact may enter an environment, and the facts behind it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.approvals.model import ApprovalFact
from chalicelib.holds.model import HoldFact
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Count, Id, PageQuery, Request, Seconds, Timestamp
from chalicelib.telemetry import metrics
from chalicelib.vocabulary import Artifact, EnvironmentName, ShortArtifact, Suite

BlockerCode = Literal[
    "not-deployed",
    "rolled-back",
    "not-verified",
    "verification-failed",
    "verification-expired",
    "soaking",
    "not-approved",
    "frozen",
    "pinned",
    "marked-bad",
]
DecisionWord = Annotated[Literal["granted", "denied"], Meta(examples=["granted"])]


MOST_BLOCKERS = 100

DENIALS = metrics.metric("denials", in_all=False, by="blocker")
PROMOTIONS = metrics.metric("promotions", in_all=False, by="decision")


class Blocker(Answer, kw_only=True):
    """A reason why an artifact may not enter an environment.

    `available_at` is when the blocker ends by itself; null if the blocker does not end by itself.
    """

    code: BlockerCode
    environment: Annotated[EnvironmentName, Meta(description="The environment that the blocker is about")]
    suite: Suite | None = None
    hold: Annotated[Id | None, Meta(description="The hold that stops the artifact")] = None
    detail: Annotated[
        str, Meta(examples=["acceptance failed in development: correct the fault, then run the suite again"])
    ]
    available_at: Timestamp | None = None


class StillRequired(Answer, kw_only=True):
    """The requirements that start anew after a deployment to the environment before.

    `suites` are the suites that have to succeed there; if it is empty, any one suite. `soak_seconds` is how long the
    artifact has to be current there. `approvals` is how many are still missing.
    """

    suites: tuple[Suite, ...]
    soak_seconds: Seconds
    approvals: Count


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the gate: granted, or denied because of the blockers.

    `blockers` has at most MOST_BLOCKERS. `more_blockers` is true if there are more. `codes` are those of all blockers.
    `still_required` is None unless the artifact has to be deployed to the environment before.
    """

    blockers: tuple[Blocker, ...]
    more_blockers: bool
    codes: tuple[BlockerCode, ...]
    still_required: StillRequired | None

    @classmethod
    def because(cls, blockers: Sequence[Blocker], still_required: StillRequired | None = None) -> "Decision":
        """Return the decision that all these blockers make."""
        return cls(
            blockers=tuple(blockers[:MOST_BLOCKERS]),
            more_blockers=len(blockers) > MOST_BLOCKERS,
            codes=tuple(dict.fromkeys(blocker.code for blocker in blockers)),
            still_required=still_required,
        )

    @property
    def word(self) -> DecisionWord:
        return "denied" if self.blockers else "granted"

    @property
    def samples(self) -> list[metrics.Sample]:
        """The counts to add when this decision is recorded. A denial counts once for each code of its blockers."""
        return [metrics.Sample(PROMOTIONS, of=self.word), *(metrics.Sample(DENIALS, of=code) for code in self.codes)]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The latest verification of a suite that ended in success or failure."""

    suite: str
    outcome: Literal["success", "failure"]
    counts_at: datetime


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """A rollback in an environment that went back behind an artifact: to `artifact`, at this moment."""

    environment: str
    artifact: str
    at: datetime


class EnvironmentBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The environment with the next lower rank, and the record of the artifact there.

    `deployed_at` is when the artifact's latest successful deployment finished. None if no deployment succeeded.
    `replaced_at` is when the next deployment succeeded. None if the artifact is the current one. `rolled_back` is a
    rollback behind the artifact since `deployed_at`. `verdicts` are about that deployment, sorted by suite.
    """

    name: str
    deployed_at: datetime | None
    replaced_at: datetime | None
    rolled_back: RolledBack | None
    verdicts: tuple[Verdict, ...]


class GateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The requirements of an environment, and the record of the artifact. `before` is None for the lowest rank.

    `approvals` and `holds` are those that count now or later.
    """

    system: str
    environment: str
    artifact: str
    required_approvals: int
    approvals: tuple[ApprovalFact, ...]
    holds: tuple[HoldFact, ...]
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
    at: Annotated[
        Timestamp | None,
        Meta(
            description="With `dry_run`: decide for this moment, up to 90 days ahead, if nothing more is recorded. By "
            "default now"
        ),
    ] = None

    def faults(self) -> Iterator[Fault]:
        if self.at is not None and not self.dry_run:
            yield Fault("#/at", "is for dry runs: leave it out, or send `dry_run`")


class Promotion(Answer, kw_only=True):
    """`id` is null for a dry run, which is not recorded. `decided_at` is the moment that the decision is about."""

    id: Id | None
    artifact: Artifact
    environment: EnvironmentName
    decision: DecisionWord
    blockers: list[Blocker]
    more_blockers: MoreBlockers
    still_required: Annotated[
        StillRequired | None,
        Meta(description="The requirements after a deployment to the environment before; null if none is needed"),
    ]
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
            still_required=decision.still_required,
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
    still_required=StillRequired | None,
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
constraint(
    "artifact_id_known",
    problems.invalid,
    "The artifact has no known form: send `tree:<git tree id>` or `sha256:<digest>`",
)
constraint("promotions_decision_known", problems.invalid, "The decision is unknown: record `granted` or `denied`")
