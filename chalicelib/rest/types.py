"""The types of fields that several resources share. Their bounds are the API's, and so the schema's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from chalicelib.rest.problems import Fault

T = TypeVar("T")


class Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a request. A subclass may yield `faults` that concern several fields at once."""


class Answer(msgspec.Struct, kw_only=True):
    """The body of an answer."""


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query parameters of a request."""


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """One page of a list. `next` is the cursor of the page after it, or null on the last one."""

    items: list[T]
    next: Annotated[
        str | None, Meta(description="Cursor of the next page; null on the last one", examples=["5kq2tY1Xl7JbIjE5NyJd"])
    ]


# An example of each pattern, for whoever sends what does not match.
EXAMPLES: dict[str, str] = {}


def matching(pattern: str, example: str, description: str = "", max_length: int | None = None) -> Meta:
    """Return the constraints of a text that matches as a whole. In Python, `$` also matches before a final newline."""
    whole = rf"^{pattern}$(?!\n)"
    EXAMPLES.setdefault(whole, example)
    return Meta(pattern=whole, examples=[example], description=description or None, max_length=max_length)


_SLUG = "[a-z][a-z0-9-]{1,38}"

Slug = Annotated[str, matching(_SLUG, "azul")]
EnvironmentName = Annotated[str, matching(_SLUG, "preproduction", "Name of an environment")]
WorkspaceName = Annotated[
    str,
    matching(
        "[a-z][a-z0-9-]{0,15}",
        "default",
        "Name of a workspace; `default` is the environment itself",
    ),
]
Artifact = Annotated[
    str,
    matching(
        "(tree:[0-9a-f]{40}|sha256:[0-9a-f]{64})",
        "tree:5b678574ccc67c05b472831abea9e97b713c73e1",
        "What is deployed and promoted, by its content: a git tree, or a package's digest",
    ),
]
Sha = Annotated[
    str,
    matching("[0-9a-f]{40}", "200f4b2d8e19e8e64f878567f24b464f3d7146ac", "A commit"),
]
Suite = Annotated[str, matching("[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", "acceptance", "Name of a test suite")]
Url = Annotated[
    str,
    matching(r"https?://[!-~]+", "https://ci.example.org/runs/1", max_length=2000),
]
HttpsUrl = Annotated[
    str,
    matching(r"https://[!-~]+", "https://github.com/DataBiosphere/azul", max_length=2000),
]
# What `decoding` refuses of every text, where a pattern of its own does not say so already.
_NO_NUL = {"pattern": r"^[^\u0000]*$"}
Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Azul"], extra_json_schema=_NO_NUL)]
Text = Annotated[str, Meta(max_length=2000, examples=["A text for people"], extra_json_schema=_NO_NUL)]
# Python and ECMA 262, whose patterns JSON Schema has, differ in which characters `\s` means: neither's may be.
_NOT_WHITE = r"[^\s\u0000-\u001f\u0085\ufeff]"
OverrideReason = Annotated[
    str,
    matching(
        rf"{_NOT_WHITE}[^\u0000]{{8,498}}{_NOT_WHITE}",
        "The incident can't wait for the soak",
        "Why the gate and the holds are passed over; neither starts nor ends with white space",
    ),
]
Reason = Annotated[
    str,
    matching(
        rf"{_NOT_WHITE}([^\u0000]{{0,498}}{_NOT_WHITE})?",
        "Reports are empty since Monday",
        "For people; neither starts nor ends with white space",
    ),
]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1, examples=[12])]
Seconds = Annotated[int, Meta(ge=0, le=365 * 86400, examples=[3600])]
Timestamp = Annotated[
    datetime, Meta(tz=True, examples=["2026-03-01T12:00:00Z"], description="RFC 3339, with a time zone")
]
Id = Annotated[str, Meta(examples=["197"], description="Opaque")]
Client = Annotated[str, matching("[A-Za-z0-9._~@:-]{1,128}", "jane@example.org", "Whose calls are routed")]
PrincipalName = Annotated[
    str, Meta(examples=["pipeline@local"], description="The subject of who did it", extra_json_schema=_NO_NUL)
]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many items a page has at the most")]
Cursor = Annotated[
    str,
    Meta(
        max_length=1000,
        description="`next` of the page before; goes with the same filters only",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]*$"},
    ),
]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def period_faults(started_at: datetime | None, finished_at: datetime | None) -> Iterator[Fault]:
    """What is wrong with a period: it ends before it starts, or lies before there was anything to deploy."""
    if started_at and finished_at and started_at > finished_at:
        yield Fault("#/finished_at", "is before started_at")
    for name, moment in {"started_at": started_at, "finished_at": finished_at}.items():
        if moment is not None and moment < EARLIEST:
            yield Fault(f"#/{name}", "is before 1970")


class PageQuery(Query):
    limit: Limit = 50
    cursor: Cursor | None = None
