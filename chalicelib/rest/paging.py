"""Lists in keyset order. Each page of a list costs the same, and new rows do not shift later pages."""

import base64
import hashlib
from collections.abc import Callable
from itertools import accumulate
from operator import attrgetter
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Page, PageQuery

T = TypeVar("T")

# Lambda fails on an answer of more than 6 MB. No answer of the service has more than 5 MB.
MOST_BYTES = 4_000_000

_DIGEST_BYTES = 8


class Keyset:
    """The order of a list: the attributes of a row that give its position, with their types.

    A cursor's seal protects callers from mistakes. The seal uses no secret, so anyone can make a cursor. Therefore the
    types must be as narrow as the columns.
    """

    def __init__(self, **types: Any) -> None:
        self._type = tuple[tuple(types.values())]  # type: ignore[misc]
        self._values = attrgetter(*types)
        self._single = len(types) == 1

    def position(self, row: Any) -> tuple[Any, ...]:
        values = self._values(row)
        return (values,) if self._single else values

    def cursor(self, row: Any, bound_to: bytes) -> str:
        return self.cursor_at(self.position(row), bound_to)

    def cursor_at(self, position: tuple[Any, ...], bound_to: bytes) -> str:
        payload = msgspec.json.encode(position)
        return _in_base64(_seal(payload, bound_to) + payload)

    def after(self, cursor: str, bound_to: bytes) -> tuple[Any, ...]:
        """Return a cursor's position. Raise problem 400 unless this list gave the cursor for these filters."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            seal, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
            if seal == _seal(payload, bound_to) and cursor == _in_base64(raw):
                position: tuple[Any, ...] = msgspec.json.decode(payload, type=self._type)
                return position
        except (ValueError, msgspec.MsgspecError):
            pass
        raise Problem(
            problems.cursor_unusable,
            "The cursor does not belong to this list and these filters. Start again without a cursor.",
        )


def page(address: str, query: PageQuery, keyset: Keyset, rows: Callable[..., list[T]]) -> Page[T]:
    """Return one page of a list. The page ends early if more items would make the answer too long.

    Call `rows` with `limit` and `after`. `limit` is one more than the page has. `after` is the position of the last row
    that the caller has seen, or None.
    """
    bound_to, after = _start(address, query, keyset)
    found = rows(limit=query.limit + 1, after=after)
    items, more = cut(found, query.limit, MOST_BYTES)
    return Page(items=items, next=keyset.cursor(items[-1], bound_to) if more else None)


def sparse_page(
    address: str,
    query: PageQuery,
    keyset: Keyset,
    scan: Callable[..., tuple[list[T], tuple[Any, ...] | None]],
) -> Page[T]:
    """Return one page of a list whose filters no index knows. It may be short, or even empty, and still have a next.

    Call `scan` with `after`. It examines a bounded number of rows, and returns the items among them, and the position
    of the last row that it examined; None if no row follows.
    """
    bound_to, after = _start(address, query, keyset)
    found, end = scan(after=after)
    items, more = cut(found, query.limit, MOST_BYTES)
    if more:
        end = keyset.position(items[-1])
    return Page(items=items, next=None if end is None else keyset.cursor_at(end, bound_to))


def cut(items: list[T], most: int, most_bytes: int) -> tuple[list[T], bool]:
    """Return the first items, and true if there are more.

    The first items are at most `most`. They have at most `most_bytes` together in an answer, but are at least one.
    """
    first = items[:most]
    if _bytes_sent(first) > most_bytes:
        ends = accumulate(_bytes_sent(item) for item in first)
        first = first[: max(1, sum(end <= most_bytes for end in ends))]
    return first, len(items) > len(first)


def link_to_next(query: PageQuery, cursor: str) -> str:
    """Return the header Link for a page that has a next page. The link is relative to the request's address."""
    parameters = msgspec.to_builtins(msgspec.structs.replace(query, cursor=cursor))
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in parameters.items()
        if value is not None
    }
    return f'<?{urlencode(given)}>; rel="next"'


def _start(address: str, query: PageQuery, keyset: Keyset) -> tuple[bytes, tuple[Any, ...] | None]:
    """Return what the list's cursors are bound to, and the position after which the page starts."""
    bound_to = address.encode() + msgspec.json.encode(msgspec.structs.replace(query, cursor=None, limit=1))
    return bound_to, keyset.after(query.cursor, bound_to) if query.cursor is not None else None


def _bytes_sent(value: Any) -> int:
    """Return the bytes of a value in what Lambda sends: its JSON is a text in JSON, so each quote takes two bytes."""
    encoded = msgspec.json.encode(value)
    return len(encoded) + encoded.count(b'"') + encoded.count(b"\\")


def _in_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _seal(payload: bytes, bound_to: bytes) -> bytes:
    return hashlib.blake2b(payload, key=hashlib.sha256(bound_to).digest(), digest_size=_DIGEST_BYTES).digest()
