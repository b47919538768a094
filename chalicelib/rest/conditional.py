"""Conditional requests (RFC 9110, section 13): ETags, If-Match and If-None-Match."""

import hashlib
from typing import Any

import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem


def etag(body: bytes) -> str:
    """Return the strong ETag of a representation: the first 24 hex digits of its SHA-256 digest."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def matches(header: str, current: str) -> bool:
    """True if a list of ETags, or `*`, names the current ETag. A weak ETag names the same version as a strong one.

    RFC 9110 compares If-Match strongly. But CloudFront makes our ETag weak when it compresses an answer ("Serve
    compressed files"), and a client that read a resource must be able to change it. Our ETag is a digest of the
    content, so its weak form names the same content.
    """
    return header.strip() == "*" or current in [tag.strip().removeprefix("W/") for tag in header.split(",")]


def require_unchanged(if_match: str, current: Any) -> None:
    """Raise problem 412 unless If-Match names the current representation of the resource."""
    now = etag(msgspec.json.encode(current))
    if not matches(if_match, now):
        raise Problem(
            problems.precondition_failed,
            f"If-Match names another version. Read the resource again. Its current ETag is {now}.",
        )
