"""The rate of writes. In an hour, a caller's requests may leave a limited number of records.

A request leaves a record if it writes, if its answer is stored for an Idempotency-Key, or if its refusal is in the
audit trail. Refusals have a count of their own with the same limit, so they never use up a caller's writes. A count
needs no statement of its own: it is a part of the request's first statement that leaves a record. A constraint refuses
a count above the rate.
"""

import time
from typing import Any

from chalicelib.identity.principal import Principal
from chalicelib.rest.problems import Problem, too_many_writes
from chalicelib.settings import settings

WITHIN_RATE = "hourly_writes_within_rate"  # the constraint

_HOUR_SECONDS = 3600
_MEANING = {False: "You may write", True: "Your writes may be refused"}


def counting(insert: str) -> str:
    """Return SQL that runs an INSERT and counts a write. Its parameters also include those of `parameters`."""
    return f"""
        WITH counted AS (
            INSERT INTO hourly_writes AS h (issuer, writer, refused, hour, writes, allowed)
            VALUES (%(issuer)s, %(writer)s, %(refused)s, date_trunc('hour', clock_timestamp(), 'UTC'), 1, %(allowed)s)
            ON CONFLICT ON CONSTRAINT hourly_writes_once DO UPDATE SET
                writes = CASE WHEN h.hour = EXCLUDED.hour THEN h.writes ELSE 0 END + 1,
                hour = EXCLUDED.hour, allowed = EXCLUDED.allowed
        )
        {insert}
    """


def parameters(principal: Principal, *, refused: bool = False) -> dict[str, Any]:
    """Return the parameters of the count, of writes or of refused writes."""
    return {"writer": principal.writer, "refused": refused, "allowed": settings().writes_per_hour}


def exceeded(*, refused: bool = False) -> Problem:
    """Return the problem for a request beyond the rate. The count starts again with the next hour in UTC."""
    seconds = _HOUR_SECONDS - int(time.time()) % _HOUR_SECONDS
    return Problem(
        too_many_writes,
        f"{_MEANING[refused]} {settings().writes_per_hour} times in an hour. Try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )
