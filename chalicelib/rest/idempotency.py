"""Idempotency-Key: the first 2xx answer to a POST is stored with the write, and repeated for retries.

Refusals and the answers to dry runs are not stored: a retry is evaluated again.
"""

import hashlib
import re
from typing import Any

import chalice
import msgspec

from chalicelib.database.connection import Database
from chalicelib.rest import problems, rates
from chalicelib.rest.call import Call
from chalicelib.rest.problems import Problem

LIFETIME_HOURS = 24

_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key and its scope: one caller's requests to one address.

    A pipeline's keys belong to a run of its repository.
    """

    issuer: str
    principal: str
    route: str
    key: str


class Stored(msgspec.Struct):
    """The answer that was stored for a key."""

    request_digest: str
    status: int
    headers: dict[str, str | list[str]]
    body: str


def key_of(call: Call) -> Key | None:
    """Return the request's key, or None if it has none. Raise problem 400 if the key is unusable."""
    if not call.operation.takes_idempotency_key:
        return None
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Problem(
            problems.malformed,
            "The Idempotency-Key is unusable. Send 1 to 255 visible ASCII characters, such as a UUID.",
        )
    return Key(
        issuer=call.principal.issuer,
        principal=call.principal.keeper,
        route=f"{call.operation.method} {call.address}",
        key=key,
    )


def digest(body: Any) -> str:
    """Return the digest of a decoded body. Bodies with equal values have equal digests, even if their bytes differ."""
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


# SQL for one column: the stored answer of a key, or null. Its parameters are the fields of Key.
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


def lock(db: Database, key: Key) -> None:
    """Let other requests with this key wait until the transaction ends. After a success, they get the same answer."""
    db.lock(f"idempotency {key.issuer} {key.principal} {key.route} {key.key}")


def repeat(call: Call, stored: Stored, request_digest: str) -> chalice.app.Response:
    """Return the stored answer, or raise problem 422 if the answer belongs to another body."""
    if stored.request_digest != request_digest:
        raise Problem(
            problems.key_reused,
            "This Idempotency-Key was used with another body. Send a new key with a new request.",
        )
    return chalice.app.Response(
        stored.body,
        headers=stored.headers | {"X-Request-Id": call.id, "Idempotency-Replayed": "true"},
        status_code=stored.status,
    )


_STORE = """
    INSERT INTO idempotency_keys (issuer, principal, route, key, request_digest, status, headers, body)
    VALUES (%(issuer)s, %(principal)s, %(route)s, %(key)s,
            %(digest)s, %(status)s, %(headers)s::jsonb, %(body)s)
    ON CONFLICT ON CONSTRAINT idempotency_keys_once DO UPDATE SET
        request_digest = EXCLUDED.request_digest, status = EXCLUDED.status,
        headers = EXCLUDED.headers, body = EXCLUDED.body, created_at = EXCLUDED.created_at
"""
_COUNTED_STORE = rates.counting(_STORE)


def store(call: Call, key: Key, request_digest: str, response: chalice.app.Response) -> None:
    """Queue the statement that stores an answer. The answer is stored only if the transaction commits."""
    call.db.queue(
        _STORE if call.is_counted else _COUNTED_STORE,
        digest=request_digest,
        status=response.status_code,
        headers=msgspec.json.encode(response.headers).decode(),
        body=response.body,
        **msgspec.structs.asdict(key),
        **rates.parameters(call.principal),
    )


def forget(db: Database, limit: int) -> int:
    """Delete up to `limit` expired answers; return the count."""
    return db.execute(
        f"""
        DELETE FROM idempotency_keys WHERE ctid IN (
            SELECT ctid FROM idempotency_keys
            WHERE created_at <= clock_timestamp() - {LIFETIME_HOURS} * interval '1 hour'
            ORDER BY created_at LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED -- another transaction renews or deletes the locked rows
        )
        """,
        limit=limit,
    )
