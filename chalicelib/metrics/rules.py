"""The window that a request for metrics may ask for."""

from datetime import UTC, datetime, timedelta

from chalicelib.deployments.model import EARLIEST
from chalicelib.metrics.model import DEFAULT_DAYS, MOST_PERIODS
from chalicelib.rest.problems import invalid_field


def window(
    start: datetime | None, end: datetime | None, *, now: datetime, most_days: int
) -> tuple[datetime | None, datetime | None]:
    """Return the start and the end of a window, or raise problem 422. Without an end, the database's clock sets it.

    The window begins after 1969 and before its end, and has at most `most_days`.
    """
    for name, moment in (("from", start), ("to", end)):
        if moment is not None and moment < EARLIEST:
            raise invalid_field(f"#/{name}", "is before 1970: send a later time")
    if end is not None and start is None:
        start = max(EARLIEST, end - timedelta(days=DEFAULT_DAYS))
    if start is None:
        return None, None
    length = (end or now) - start
    if length <= timedelta():
        if end is None:
            raise invalid_field("#/from", "is not in the past: send an earlier time, or a later `to`")
        raise invalid_field("#/to", "is not later than `from`: correct one of the two")
    if length > timedelta(days=most_days):
        raise invalid_field("#/from", f"is more than {most_days} days before the end: send a later time")
    return start, end


def require_few_periods(per: str | None, start: datetime | None, end: datetime) -> None:
    """Refuse a window with more than MOST_PERIODS days. The longest window has fewer weeks and months."""
    if per != "day" or start is None:
        return
    days = (end - timedelta.resolution).astimezone(UTC).date() - start.astimezone(UTC).date()
    if days.days >= MOST_PERIODS:
        raise invalid_field(
            "#/per", f"divides the window into more than {MOST_PERIODS} days: send `week`, or a later `from`"
        )
