"""The overview: what runs in each environment, what is on its way, and what needs attention.

Nothing in it changes only because time passes, except decisions that depend on time. So an unchanged overview keeps its
ETag. Members without a value are left out, which keeps the answer short.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.deployments.model import DeploymentKind, DeploymentState
from chalicelib.environments.model import Rank
from chalicelib.holds.model import HoldFact, HoldKind
from chalicelib.patterns import NO_NUL
from chalicelib.promotions.model import BlockerCode, GateFacts
from chalicelib.rest.types import Answer, Id, Name, PageQuery, Timestamp
from chalicelib.targets.drift import MOST_COMMITS
from chalicelib.vocabulary import Artifact, EnvironmentName, Slug, Suite

# The first environments of a system by rank. The state of the system shows more.
MOST_ENVIRONMENTS = 50
# The most environments that one request examines. A system is never split, so it may be more by one system.
MOST_EXAMINED = 400
# The most systems that one request examines for `attention` and `production`, and the most that it searches for `q`.
MOST_SYSTEMS = 200
MOST_SEARCHED = 2000
MOST_FAILED_SUITES = 3
MOST_WORKSPACES = 1000

# The most characters of a text that people wrote.
MOST_CHARACTERS = 80

# A deployment may wait so long for its first verification before it needs attention.
VERIFY_WITHIN_MINUTES = 60

AttentionReason = Annotated[
    Literal["failed", "blocked", "stuck", "unverified", "lease-expired"],
    Meta(
        examples=["failed"],
        description="`failed`: the last attempt failed. `blocked`: the environment before has something newer, and the "
        "gate denies it for other reasons than its soak or a verification that may still come. `stuck`: the deployment "
        "in progress has sent no status for half of its lease. `unverified`: the current deployment failed a suite, or "
        f"no suite has verified it within {VERIFY_WITHIN_MINUTES} minutes. `lease-expired`: the last attempt was "
        "cancelled because its lease expired",
    ),
]


class OverviewQuery(PageQuery, kw_only=True):
    q: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100, extra_json_schema=NO_NUL)] | None,
        Meta(description="Only systems whose key or name contains this text, in lower or upper case"),
    ] = None
    attention: Annotated[bool, Meta(description="Only environments that need attention")] = False
    production: Annotated[bool, Meta(description="Only production environments")] = False


class CurrentDeployment(Answer, kw_only=True, omit_defaults=True):
    """The successful deployment that finished last. `since` is when it finished."""

    id: Id
    artifact: Artifact
    since: Timestamp
    verified: Annotated[bool, Meta(description="True if a suite has verified the deployment, and none failed")]
    failed_suites: Annotated[
        tuple[Suite, ...],
        Meta(description=f"The first {MOST_FAILED_SUITES} suites whose latest verification of it is a failure"),
    ] = ()


class LastAttempt(Answer, kw_only=True, omit_defaults=True):
    """The deployment that started last. `kind` is left out for a rollout."""

    id: Id
    artifact: Artifact
    kind: DeploymentKind = "rollout"
    state: DeploymentState
    started_at: Timestamp
    finished_at: Timestamp | None = None
    lease_expires_at: Annotated[Timestamp | None, Meta(description="Only of a deployment in progress")] = None
    detail: Annotated[str | None, Meta(description=f"The first {MOST_CHARACTERS} characters of a failure's detail")] = (
        None
    )


class Blocked(Answer, kw_only=True, omit_defaults=True):
    """The blockers of the artifact that runs in the environment before. It has waited there since `since`."""

    since: Timestamp | None = None
    codes: tuple[BlockerCode, ...]
    until: Annotated[
        Timestamp | None,
        Meta(description="When the last of the blockers ends; left out if one of them does not end by itself"),
    ] = None


class HoldOverview(Answer, kw_only=True, omit_defaults=True):
    id: Id
    kind: HoldKind
    since: Annotated[Timestamp, Meta(description="When the hold began, or for a freeze that repeats, its first window")]
    created_by: Annotated[str, Meta(description=f"Who set it: the first {MOST_CHARACTERS} characters")]
    reason: Annotated[str, Meta(description=f"The first {MOST_CHARACTERS} characters of its reason")]


class EnvironmentOverview(Answer, kw_only=True, omit_defaults=True):
    """An environment without its workspaces. A member without a value is left out."""

    name: EnvironmentName
    rank: Rank
    production: bool = False
    current: CurrentDeployment | None = None
    last_attempt: Annotated[
        LastAttempt | None, Meta(description="The deployment that started last, if it is not the current one")
    ] = None
    blocked: Annotated[
        Blocked | None, Meta(description="Left out if the environment before has the same artifact, or none")
    ] = None
    commits_behind: Annotated[
        int | None,
        Meta(
            description="The number of commits that the environment before has and this one lacks. It stops at "
            f"{MOST_COMMITS}. Left out if it is unknown or takes too long to count: then see the state of the system"
        ),
    ] = None
    holds: Annotated[
        tuple[HoldOverview, ...],
        Meta(
            description="The holds in force: freezes, the pin, and bad marks on what runs here or in the environment "
            "before"
        ),
    ] = ()
    workspaces: Annotated[int, Meta(description=f"The number of active workspaces. It stops at {MOST_WORKSPACES}")] = 0
    attention: Annotated[tuple[AttentionReason, ...], Meta(description="Why the environment needs attention")] = ()


class SystemOverview(Answer, kw_only=True, omit_defaults=True):
    key: Slug
    name: Name
    environments: Annotated[list[EnvironmentOverview], Meta(description="The environments by rank")]
    more_environments: Annotated[
        bool,
        Meta(
            description=f"True if the system has more than {MOST_ENVIRONMENTS} environments. Only the first ones are "
            "examined: the state of the system has more"
        ),
    ] = False


class CurrentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The current deployment. `suites` counts those that verified it. `failed_suites` are the first that failed."""

    id: str
    artifact: str
    since: datetime
    suites: int
    failed_suites: tuple[str, ...]


class AttemptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The deployment that started last. `lease_expired` is true if it is cancelled because its lease expired."""

    id: str
    artifact: str
    kind: DeploymentKind
    state: DeploymentState
    started_at: datetime
    finished_at: datetime | None
    lease_seconds: int | None
    lease_expires_at: datetime | None
    lease_expired: bool
    detail: str | None


class EnvironmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The record of an environment.

    `gate` is about the artifact that runs in the environment before. None if that is the same artifact, or none.
    `marks` are the pin of the environment, and the bad marks of both artifacts.
    """

    name: str
    rank: int
    production: bool
    current: CurrentFacts | None
    last_attempt: AttemptFacts | None
    gate: GateFacts | None
    marks: tuple[HoldFact, ...]
    commits_behind: int | None
    workspaces: int


class SystemFacts(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    name: str
    freezes: tuple[HoldFact, ...]
    environments: tuple[EnvironmentFacts, ...]
    more_environments: bool


class ScannedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about the systems that one request examines.

    `end` is the key of the last system that was examined, or searched. `more` is true if systems follow it.
    """

    at: datetime
    freezes_over_systems: tuple[HoldFact, ...]
    systems: tuple[SystemFacts, ...]
    end: str | None
    more: bool
