"""Idempotency-Key: the first 2xx answer to a POST is stored with the write, and given again to its retries.

Refusals are not stored: what was refused is evaluated again. Two requests at once with one key wait for each
other, so one of them writes and the other reads its answer.
"""

import hashlib
import re
from typing import TYPE_CHECKING, Any

import chalice
import msgspec

from chalicelib.database.connection import Database
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem

if TYPE_CHECKING:
    from chalicelib.rest.operation import Call

LIFETIME_HOURS = 24

_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


class Stored(msgspec.Struct):
    request_digest: str
    status: int
    headers: dict[str, str | list[str]]
    body: str


def key_of(call: "Call") -> str | None:
    """The request's Idempotency-Key, or None."""
    key = call.request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(problems.malformed, "An Idempotency-Key has 1 to 255 visible ASCII characters")
    return key


def digest(body: Any) -> str:
    """What makes two bodies the same: their values, not their bytes."""
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


# One column: the answer that was given to this key before, or null.
STORED = f"""
    (
        SELECT json_build_object(
            'request_digest', request_digest, 'status', status, 'headers', headers, 'body', body
        )
        FROM idempotency_keys
        WHERE issuer = %(issuer)s AND principal = %(principal)s AND route = %(route)s AND key = %(key)s
            AND created_at > clock_timestamp() - {LIFETIME_HOURS} * interval '1 hour'
    )
"""


def lock(call: "Call", key: str) -> None:
    """Let others with the same key wait until this transaction ends."""
    call.db.lock("idempotency " + " ".join(scope(call, key).values()))


def answer(call: "Call", stored: Stored, request_digest: str) -> chalice.app.Response:
    """The stored answer, for a request that is the same."""
    if stored.request_digest != request_digest:
        raise Problem(problems.key_reused, "This Idempotency-Key was used with another body")
    return chalice.app.Response(
        stored.body,
        headers=stored.headers | {"X-Request-Id": call.id, "Idempotency-Replayed": "true"},
        status_code=stored.status,
    )


def store(call: "Call", key: str, request_digest: str, response: chalice.app.Response) -> None:
    """Remember an answer, in the message that commits what it tells of."""
    call.db.queue(
        """
        INSERT INTO idempotency_keys (issuer, principal, route, key, request_digest, status, headers, body)
        VALUES (%(issuer)s, %(principal)s, %(route)s, %(key)s,
                %(digest)s, %(status)s, %(headers)s::jsonb, %(body)s)
        ON CONFLICT ON CONSTRAINT idempotency_keys_once DO UPDATE SET
            request_digest = EXCLUDED.request_digest, status = EXCLUDED.status,
            headers = EXCLUDED.headers, body = EXCLUDED.body, created_at = EXCLUDED.created_at
        """,
        digest=request_digest,
        status=response.status_code,
        headers=msgspec.json.encode(response.headers).decode(),
        body=response.body,
        **scope(call, key),
    )


def forget(db: Database, limit: int) -> int:
    """Delete stored answers that are too old to be given again, so many at the most: how many were."""
    return db.execute(
        f"""
        DELETE FROM idempotency_keys WHERE ctid IN (
            SELECT ctid FROM idempotency_keys
            WHERE created_at <= clock_timestamp() - {LIFETIME_HOURS} * interval '1 hour'
            ORDER BY created_at LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED -- somebody is about to store a new answer there, or to delete it
        )
        """,
        limit=limit,
    )


def scope(call: "Call", key: str) -> dict[str, str]:
    """What a key belongs to, as parameters of statements."""
    return {
        "issuer": call.principal.issuer,
        "principal": call.principal.subject,
        "route": f"{call.operation.method} {call.address}",
        "key": key,
    }
