"""Delivery metrics. docs/metrics.md defines each figure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.rest.types import Answer, Count, Id, PageQuery, Query, Timestamp
from chalicelib.vocabulary import EnvironmentName, Slug

# The heading of docs/metrics.md that defines the figures. Another definition gets another heading, and this one stays.
DEFINITION = "docs/metrics.md#definition-1"

DEFAULT_DAYS = 30
MOST_DAYS = 731
MOST_DAYS_OVER_SYSTEMS = 90
MOST_SYSTEMS = 50
MOST_PERIODS = 110
MOST_CONTRIBUTING = 50

_FROM = Meta(
    description=f"Count deployments that finished at this time or later. By default, {DEFAULT_DAYS} days before `to`"
)
_TO = Meta(description="Count deployments that finished before this time. By default, the end of the current hour")


class MetricsQuery(Query, kw_only=True):
    from_: Annotated[Timestamp | None, _FROM] = msgspec.field(default=None, name="from")
    to: Annotated[Timestamp | None, _TO] = None
    per: Annotated[
        Literal["day", "week", "month"] | None,
        Meta(
            description="Also return the figures of each day, week (from Monday) or month in UTC, at most "
            f"{MOST_PERIODS} of them"
        ),
    ] = None


class MetricsOverSystemsQuery(PageQuery, kw_only=True):
    from_: Annotated[Timestamp | None, _FROM] = msgspec.field(default=None, name="from")
    to: Annotated[Timestamp | None, _TO] = None


class Figure(Answer, kw_only=True):
    """A figure without samples is null, not 0."""

    sample_size: Count
    contributing: Annotated[
        tuple[Id, ...], Meta(description=f"The deployments behind the figure: the first {MOST_CONTRIBUTING} to finish")
    ]


class DeploymentFrequency(Figure, kw_only=True):
    """The succeeded rollouts and hotfixes. `days` counts the UTC days with one."""

    per_day: float | None
    deployments: Count | None
    days: Count | None


class ChangeLeadTime(Figure, kw_only=True):
    """The time from a commit to the first deployment that delivered it. A sample is a commit.

    A commit that was authored after that deployment counts as 0 seconds, and as one of `anomalies`.
    """

    median: float | None
    p90: float | None
    anomalies: Count | None


class ChangeFailRate(Figure, kw_only=True):
    """The share of rollouts and hotfixes that failed in use; `contributing` has those that did.

    `failed_attempts` counts rollouts and hotfixes that ended as `failed`, which the share leaves out.
    """

    value: float | None
    failed_attempts: Count | None


class RecoveryTime(Figure, kw_only=True):
    """The time from the first of consecutive deployments that failed in use to the next good one.

    `contributing` has the first ones. `unrecovered` counts those without a good one so far, which are no samples.
    """

    median: float | None
    unrecovered: Count | None


class ReworkRate(Figure, kw_only=True):
    """The share of succeeded deployments that are hotfixes or rollbacks; `contributing` has these."""

    value: float | None


class Waiting(Figure, kw_only=True):
    """The commits that the environment before has now and this one lacks, and the age of the oldest one.

    Null if that is unknown, or takes too long to count. `contributing` has the deployments that delivered the commits.
    """

    changes: Count | None
    oldest_seconds: Count | None


class Period(Answer, kw_only=True):
    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp
    deployment_frequency: DeploymentFrequency
    change_lead_time_seconds: ChangeLeadTime
    change_fail_rate: ChangeFailRate
    failed_deployment_recovery_time_seconds: RecoveryTime
    deployment_rework_rate: ReworkRate


class Metrics(Period, kw_only=True, omit_defaults=True):
    """The figures of the system's environment with the highest rank."""

    system: Slug
    environment: Annotated[EnvironmentName | None, Meta(description="Null if the system has no environment")]
    definition: Annotated[
        str, Meta(description="The page and the heading in the service's repository that define the figures")
    ]
    waiting: Waiting
    periods: Annotated[
        tuple[Period, ...], Meta(description="The figures of each period, the first one first; only with `per`")
    ] = ()
