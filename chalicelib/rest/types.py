"""The types that any REST service has: bodies, pages and plain fields. openapi.json shows the bounds of each type."""

from datetime import datetime
from typing import Annotated, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Meta

from chalicelib.patterns import NO_NUL, matching

T = TypeVar("T")

# The times of RFC 3339, section 5.6. `decoding` refuses other texts that msgspec can read.
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"


class Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a request, of at most `max_bytes`.

    A subclass may have a method `faults`, for rules that the types of its fields can't state.
    """

    max_bytes: ClassVar[int] = 1024 * 1024


class Answer(msgspec.Struct, kw_only=True):
    """The body of an answer."""


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query parameters of a request."""


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """One page of a list. `next` is the cursor of the next page, or null on the last page."""

    items: list[T]
    next: Annotated[
        str | None,
        Meta(description="Cursor of the next page; null on the last page", examples=["5kq2tY1Xl7JbIjE5NyJd"]),
    ]


Url = Annotated[
    str,
    matching(r"https?://[!-~]+", "https://ci.example.org/runs/1", max_length=2000),
]
HttpsUrl = Annotated[
    str,
    matching(r"https://[!-~]+", "https://github.com/DataBiosphere/azul", max_length=2000),
]
Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Azul"], extra_json_schema=NO_NUL)]
Text = Annotated[str, Meta(max_length=2000, examples=["A text for people"], extra_json_schema=NO_NUL)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1, examples=[12])]
Seconds = Annotated[int, Meta(ge=0, le=365 * 86400, examples=[3600])]
Timestamp = Annotated[
    datetime,
    Meta(
        tz=True,
        examples=["2026-03-01T12:00:00Z"],
        description="A time as in RFC 3339, with a time zone, in the years 1 to 9999 in UTC",
        extra_json_schema={"pattern": TIME},
    ),
]
Id = Annotated[str, Meta(examples=["197"], description="An opaque id")]
SentId = Annotated[str, Meta(max_length=100, examples=["197"], description="An id from an earlier answer")]
Limit = Annotated[int, Meta(ge=1, le=200, description="The greatest number of items on a page")]
Cursor = Annotated[
    str,
    Meta(
        max_length=1000,
        description="`next` of the previous page; valid only with the same filters",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]*$"},
    ),
]


class PageQuery(Query):
    limit: Limit = 50
    cursor: Cursor | None = None
