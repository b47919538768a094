"""What an answer looks like when it is not the one that was asked for: problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta


class ProblemType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem. `slug` makes its URI, `meaning` says what to do, `extra` types its further members."""

    slug: str
    status: int
    title: str
    meaning: str
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def uri(self) -> str:
        return f"/problems/{self.slug}"


PROBLEM_TYPES: dict[str, ProblemType] = {}


def problem_type(slug: str, status: int, title: str, meaning: str, **extra: Any) -> ProblemType:
    """Declare a kind of problem, once for the whole service. `extra` maps further members to their types."""
    assert slug not in PROBLEM_TYPES, f"problem type {slug} is declared twice"
    declared = ProblemType(slug=slug, status=status, title=title, meaning=meaning, extra=tuple(extra.items()))
    PROBLEM_TYPES[slug] = declared
    return declared


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one place of a request. `pointer` is a JSON pointer into the body, as a fragment."""

    pointer: Annotated[str, Meta(examples=["#/name"])]
    detail: Annotated[str, Meta(examples=["is required"])]


class Problem(Exception):
    """A problem to answer with. Raise it to roll back the transaction; return it from an endpoint to commit."""

    def __init__(
        self,
        type_: ProblemType,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self, instance: str) -> dict[str, Any]:
        """The members of the problem+json document; `instance` is the request's id."""
        return {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            "instance": instance,
            **({"errors": self.errors} if self.errors else {}),
            **self.extra,
        }


malformed = problem_type(
    "malformed", 400, "Malformed request", "The request can't be read: correct its syntax and send it again."
)
cursor_unusable = problem_type(
    "cursor-unusable",
    400,
    "Cursor unusable",
    "The cursor is not one that this list gave for these filters: start again without it.",
)
unauthenticated = problem_type(
    "unauthenticated", 401, "Not signed in", "Send a valid token, as `Authorization: Bearer <token>`."
)
forbidden = problem_type(
    "forbidden", 403, "Not allowed", "The token's role does not allow this: ask for the role that it names."
)
not_found = problem_type("not-found", 404, "Not found", "There is nothing at this address: check its spelling.")
method_not_allowed = problem_type(
    "method-not-allowed", 405, "Method not allowed", "The address takes the methods of the header `Allow`."
)
already_exists = problem_type(
    "already-exists", 409, "Already exists", "Another one has this name: choose another, or change that one."
)
has_history = problem_type(
    "has-history",
    409,
    "Has history",
    "Something was recorded here, and nothing is lost: it can't be deleted.",
)
conflict = problem_type(
    "conflict", 409, "Conflict", "The request contradicts what is there: read it again, then decide."
)
precondition_failed = problem_type(
    "precondition-failed",
    412,
    "Precondition failed",
    "It was changed in the meantime: read it again, and send its new ETag as `If-Match`.",
)
too_large = problem_type("too-large", 413, "Body too large", "A body has 1 MiB at the most: send less at a time.")
unsupported_media_type = problem_type(
    "unsupported-media-type", 415, "Unsupported media type", "Send the body as `application/json`."
)
invalid = problem_type(
    "invalid",
    422,
    "Invalid request",
    "Each entry of `errors` names a place in the request and what it wants.",
)
key_reused = problem_type(
    "idempotency-key-reused",
    422,
    "Idempotency-Key reused",
    "The key was used with another body: a new request needs a new key.",
)
precondition_required = problem_type(
    "precondition-required",
    428,
    "Precondition required",
    "Read the resource, and send its ETag as `If-Match`, so that nobody's change is lost.",
)
internal_error = problem_type(
    "internal-error", 500, "Internal error", "The fault is ours: report it with the request's id."
)
unavailable = problem_type(
    "unavailable", 503, "Unavailable for now", "Try again after the seconds of the header `Retry-After`."
)


def invalid_field(pointer: str, detail: str) -> Problem:
    """A problem with one field."""
    return Problem(invalid, f"{pointer}: {detail}", errors=[Fault(pointer, detail)])
