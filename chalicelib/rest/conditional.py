"""Conditional requests (RFC 9110, section 13): ETags, If-Match and If-None-Match."""

import hashlib
from typing import Any

import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem


def etag(body: bytes) -> str:
    """Return the strong ETag of a representation: the first 24 hex digits of its SHA-256 digest."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def matches(header: str, current: str, *, weakly: bool) -> bool:
    """True if a list of ETags, or `*`, names the current ETag (RFC 9110, section 8.8.3.2)."""
    named = [tag.strip() for tag in header.split(",")]
    if weakly:
        named = [tag.removeprefix("W/") for tag in named]
    return header.strip() == "*" or current in named


def require_unchanged(if_match: str, current: Any) -> None:
    """Raise problem 412 unless If-Match names the current representation of the resource."""
    now = etag(msgspec.json.encode(current))
    if not matches(if_match, now, weakly=False):
        raise Problem(
            problems.precondition_failed,
            f"If-Match names another version. Read the resource again. Its current ETag is {now}.",
        )
