"""The rate of writes. In an hour, a caller's requests may leave a limited number of records.

A request leaves a record if it writes, if its answer is stored for an Idempotency-Key, or if its refusal is in the
audit trail. The count needs no statement of its own: it is a part of the request's first statement that leaves a
record. A constraint refuses a count above the rate.
"""

import time
from typing import Any

from chalicelib.identity.principal import Principal
from chalicelib.rest.problems import Problem, too_many_writes
from chalicelib.settings import settings

WITHIN_RATE = "hourly_writes_within_rate"  # the constraint

_HOUR_SECONDS = 3600


def counting(insert: str) -> str:
    """Return SQL that runs an INSERT and counts a write. Its parameters also include those of `parameters`."""
    return f"""
        WITH counted AS (
            INSERT INTO hourly_writes AS h (issuer, writer, hour, writes, allowed)
            VALUES (%(issuer)s, %(writer)s, date_trunc('hour', clock_timestamp(), 'UTC'), 1, %(allowed)s)
            ON CONFLICT ON CONSTRAINT hourly_writes_once DO UPDATE SET
                writes = CASE WHEN h.hour = EXCLUDED.hour THEN h.writes ELSE 0 END + 1,
                hour = EXCLUDED.hour, allowed = EXCLUDED.allowed
        )
        {insert}
    """


def parameters(principal: Principal) -> dict[str, Any]:
    """Return the parameters of the count. A repository's pipelines are counted together."""
    return {"writer": principal.writer, "allowed": settings().writes_per_hour}


def exceeded() -> Problem:
    """Return the problem for a request beyond the rate. The count starts again with the next hour in UTC."""
    seconds = _HOUR_SECONDS - int(time.time()) % _HOUR_SECONDS
    return Problem(
        too_many_writes,
        f"You may write {settings().writes_per_hour} times in an hour. Try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )
