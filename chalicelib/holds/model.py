"""A hold: it stops promotion. A freeze stops it for a period, a pin in one environment, a bad mark for one artifact."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, Count, Id, PageQuery, Request, Timestamp
from chalicelib.vocabulary import Artifact, EnvironmentName, PrincipalName, Reason, Slug

# The most freezes of a system, and the most over several systems, that are not over. The gate reads all of them.
MOST_FREEZES = 100

Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WEEKDAYS: tuple[Weekday, ...] = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

HoldKind = Annotated[
    Literal["freeze", "pin", "bad"],
    Meta(
        examples=["freeze"],
        description="A freeze stops every artifact for a period. A pin keeps an environment on one artifact. "
        "A bad mark keeps an artifact out of every environment",
    ),
]
HoldState = Annotated[
    Literal["scheduled", "active", "ended", "released"],
    Meta(
        examples=["active"],
        description="A hold is scheduled until `starts_at`, then active until `ends_at`. A freeze with a recurrence is "
        "also active between its windows",
    ),
]
StartsAt = Annotated[Timestamp | None, Meta(description="Null for now")]
EndsAt = Annotated[Timestamp | None, Meta(description="Null for a hold that lasts until its release")]
Production = Annotated[bool, Meta(description="True if a freeze concerns production environments only")]
BlocksRollbacks = Annotated[bool, Meta(description="True if a freeze stops rollbacks too")]
Clock = Annotated[str, matching("([01][0-9]|2[0-3]):[0-5][0-9]", "16:00")]
# Names of the tz database. Old names without an area, such as `CET`, are left out: they have no clear rules.
TimeZone = Annotated[
    str,
    matching(
        "(UTC|[A-Z][A-Za-z_]*(/[A-Za-z0-9_+-]+){1,2})",
        "Europe/Berlin",
        "A time zone of the tz database, with its area",
        max_length=64,
    ),
]


class Recurrence(Request, kw_only=True):
    """The windows of a freeze that repeats.

    A window begins on each of these weekdays, at the local time `from`. It ends `days` later, at the local time `to`.
    """

    by_day: Annotated[
        tuple[Weekday, ...],
        Meta(min_length=1, max_length=7, examples=[["FR"]], extra_json_schema={"uniqueItems": True}),
    ]
    from_: Clock = msgspec.field(name="from")
    to: Clock
    days: Annotated[int, Meta(ge=0, le=6, examples=[3])]
    time_zone: TimeZone


class NewHold(Request, kw_only=True):
    """A freeze concerns one environment, or all environments of the system if `environment` is null.

    A pin needs an environment. Its artifact is by default the one that runs there. A bad mark needs an artifact.
    """

    kind: HoldKind
    environment: EnvironmentName | None = None
    production: Production = False
    artifact: Artifact | None = None
    reason: Reason
    starts_at: StartsAt = None
    ends_at: EndsAt = None
    recurrence: Recurrence | None = None
    blocks_rollbacks: BlocksRollbacks = False

    def faults(self) -> Iterator[Fault]:
        if self.kind == "freeze":
            yield from self._faults_of_freeze()
        else:
            yield from self._faults_of_others()
        yield from _period_faults(self)

    def _faults_of_freeze(self) -> Iterator[Fault]:
        if self.artifact is not None:
            yield Fault("#/artifact", "has no effect on a freeze, which stops every artifact: leave it out")
        if self.environment is not None and self.production:
            yield Fault("#/production", "is for a freeze of all environments: leave out `production` or `environment`")

    def _faults_of_others(self) -> Iterator[Fault]:
        for name in ("production", "starts_at", "ends_at", "recurrence", "blocks_rollbacks"):
            if getattr(self, name):
                yield Fault(f"#/{name}", f"is for freezes: leave it out. A hold `{self.kind}` lasts until its release")
        if self.kind == "pin" and self.environment is None:
            yield Fault("#/environment", "is required for a pin: name the environment")
        if self.kind == "bad" and self.environment is not None:
            yield Fault("#/environment", "has no effect, because a bad mark concerns every environment: leave it out")
        if self.kind == "bad" and self.artifact is None:
            yield Fault("#/artifact", "is required for a bad mark: name the artifact")


class NewHoldOverSystems(Request, kw_only=True):
    """A freeze of all environments of all systems, or of all production environments."""

    kind: Annotated[Literal["freeze"], Meta(examples=["freeze"], description="Only freezes concern several systems")]
    production: Production = False
    reason: Reason
    starts_at: StartsAt = None
    ends_at: EndsAt = None
    recurrence: Recurrence | None = None
    blocks_rollbacks: BlocksRollbacks = False

    def faults(self) -> Iterator[Fault]:
        yield from _period_faults(self)


class Hold(Answer, kw_only=True):
    """`system` is null for a hold over several systems, and `environment` for a hold of all environments."""

    id: Id
    system: Slug | None
    kind: HoldKind
    environment: EnvironmentName | None
    production: Production
    artifact: Artifact | None
    reason: Reason
    starts_at: Timestamp
    ends_at: EndsAt
    recurrence: Recurrence | None
    blocks_rollbacks: BlocksRollbacks
    state: HoldState
    created_at: Timestamp
    created_by: PrincipalName
    released_at: Timestamp | None
    released_by: PrincipalName | None
    release_reason: Reason | None


class HoldQuery(PageQuery, kw_only=True):
    kind: HoldKind | None = None
    environment: EnvironmentName | None = None
    artifact: Artifact | None = None
    state: HoldState | None = None


class HoldOverSystemsQuery(PageQuery, kw_only=True):
    state: HoldState | None = None


class Release(Request, kw_only=True):
    reason: Reason


class HoldFact(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that may stop an artifact in an environment, as the gate reads it.

    `environment` is None if the hold concerns more than this environment.
    """

    id: str
    kind: Literal["freeze", "pin", "bad"]
    environment: str | None
    over_systems: bool
    production: bool
    artifact: str | None
    reason: str
    created_by: str
    starts_at: datetime
    ends_at: datetime | None
    recurrence: Recurrence | None
    blocks_rollbacks: bool


class NewHoldFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that a new hold depends on. They are read under the lock.

    `freezes` counts the freezes that are not over. `pin` and `bad_mark` are the ids of holds that are not released.
    """

    at: datetime
    freezes: Count
    artifact_kind: str | None = None
    has_environment: bool = False
    current_artifact: str | None = None
    pin: str | None = None
    bad_mark: str | None = None


hold_ended = problem_type(
    "hold-ended",
    409,
    "Hold ended",
    "The hold was released or has ended, and never changes: create another hold if you need one.",
)
too_many_freezes = problem_type(
    "too-many-freezes",
    409,
    "Too many freezes",
    f"At most {MOST_FREEZES} freezes that are not over are allowed here: release one that nobody needs.",
)


def _period_faults(new: NewHold | NewHoldOverSystems) -> Iterator[Fault]:
    if new.starts_at is not None and new.ends_at is not None and new.ends_at <= new.starts_at:
        yield Fault("#/ends_at", "is not after `starts_at`: correct one of the two")
    if (recurrence := new.recurrence) is None:
        return
    if len(set(recurrence.by_day)) < len(recurrence.by_day):
        yield Fault("#/recurrence/by_day", "names a day twice: send each day once")
    if recurrence.days == 0 and recurrence.to <= recurrence.from_:
        yield Fault("#/recurrence/to", "is not after `from`: send a later time, or `days` from 1 to 6")


constraint("holds_keep_system", problems.has_history, "The system has holds, which must be kept: keep the system")
constraint(
    "holds_keep_environment",
    problems.has_history,
    "The environment has holds, which must be kept: keep the environment and its system",
)
constraint("holds_kind_known", problems.invalid, "The kind is unknown: send `freeze`, `pin` or `bad`", "#/kind")
constraint(
    "holds_fit_their_kind",
    problems.invalid,
    "The fields do not fit the kind of the hold: leave out the fields of other kinds",
    "#/kind",
)
constraint(
    "holds_end_after_start", problems.invalid, "The hold ends before it starts: correct one of the two", "#/ends_at"
)
constraint(
    "holds_release_is_complete", problems.invalid, "A release needs its time, its caller and its reason: send a reason"
)
constraint(
    "holds_one_pin", problems.conflict, "The environment has another pin: release that pin first", "#/environment"
)
constraint("holds_one_bad_mark", problems.conflict, "The artifact is marked bad already: keep that hold", "#/artifact")
constraint("holds_are_final", hold_ended, "The hold was released, and never changes: create another hold")
constraint("holds_are_kept", problems.has_history, "A hold is never deleted: release the hold")
