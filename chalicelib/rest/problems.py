"""Problems: the answers to requests that fail (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta


class ProblemType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem. `slug` ends its URI, `meaning` says what to do, `extra` has the types of further members."""

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
    """Declare a kind of problem. `extra` maps the names of further members to their types."""
    assert slug not in PROBLEM_TYPES, f"problem type {slug} is declared twice: choose another slug"
    declared = ProblemType(slug=slug, status=status, title=title, meaning=meaning, extra=tuple(extra.items()))
    PROBLEM_TYPES[slug] = declared
    return declared


class Fault(msgspec.Struct, frozen=True):
    """A fault in one place of a request. `pointer` is a JSON pointer into the body or the query, as a fragment."""

    pointer: Annotated[str, Meta(examples=["#/name"])]
    detail: Annotated[str, Meta(examples=["is required: send a value"])]


class Problem(Exception):
    """A failed request, answered with a problem document.

    A problem that is raised rolls the transaction back. If an endpoint returns the problem, the transaction commits.
    """

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
        """Return the members of the problem+json document. `instance` is the request's id."""
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
    "malformed", 400, "Malformed request", "The request is not readable. Correct its syntax and send it again."
)
cursor_unusable = problem_type(
    "cursor-unusable",
    400,
    "Cursor unusable",
    "The cursor does not belong to this list with these filters. Start again without a cursor.",
)
unauthenticated = problem_type(
    "unauthenticated",
    401,
    "Not signed in",
    "The token is missing or not valid. Send a valid token as `Authorization: Bearer <token>`.",
)
forbidden = problem_type(
    "forbidden",
    403,
    "Not allowed",
    "The caller may not do this. The detail says what is missing: ask for it.",
)
not_found = problem_type(
    "not-found", 404, "Not found", "The address or the body names something that does not exist. Check the spelling."
)
method_not_allowed = problem_type(
    "method-not-allowed",
    405,
    "Method not allowed",
    "This address does not take the method. Use a method that the header `Allow` lists.",
)
already_exists = problem_type(
    "already-exists",
    409,
    "Already exists",
    "The key, name or rank is taken. Choose another, or change the resource that has it.",
)
has_history = problem_type(
    "has-history",
    409,
    "Has history",
    "The resource can't be deleted, because its history must be kept. Leave it.",
)
in_use = problem_type(
    "in-use",
    409,
    "In use",
    "Other records name the resource, so it can't be deleted. Delete these records first.",
)
conflict = problem_type(
    "conflict", 409, "Conflict", "The request contradicts the current data. Read the data again, then decide."
)
precondition_failed = problem_type(
    "precondition-failed",
    412,
    "Precondition failed",
    "`If-Match` does not name the resource's current version. Read the resource again, and send its new ETag.",
)
too_large = problem_type(
    "too-large",
    413,
    "Body too large",
    "A body may have at most 1 MiB, unless the operation allows more. Send less at a time.",
)
unsupported_media_type = problem_type(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "The body's type is not JSON. Send the body as `application/json`.",
)
invalid = problem_type(
    "invalid",
    422,
    "Invalid request",
    "Each entry of `errors` names a place in the request and says what is wrong there. Correct each place.",
)
key_reused = problem_type(
    "idempotency-key-reused",
    422,
    "Idempotency-Key reused",
    "The key was used with another body. Send a new key with a new request.",
)
reason_required = problem_type(
    "reason-required",
    422,
    "Reason required",
    "The change lets a production environment require less or trust more. Send it again with a `reason` of 10 to 500 "
    "characters.",
)
precondition_required = problem_type(
    "precondition-required",
    428,
    "Precondition required",
    "The header `If-Match` is missing. Read the resource and send its ETag, so that nobody's change is lost.",
)
too_many_writes = problem_type(
    "too-many-writes",
    429,
    "Too many writes",
    "The caller has written too often in this hour. Wait for the seconds in the header `Retry-After`, then try again.",
)
internal_error = problem_type(
    "internal-error", 500, "Internal error", "The service failed. Report the failure with the request's id."
)
unavailable = problem_type(
    "unavailable",
    503,
    "Unavailable for now",
    "The service can't answer now. Wait for the seconds in the header `Retry-After`, then try again.",
)


def invalid_field(pointer: str, detail: str) -> Problem:
    """Return the problem that one field is invalid."""
    return Problem(invalid, f"{pointer}: {detail}", errors=[Fault(pointer, detail)])
