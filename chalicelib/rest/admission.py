"""Admission: find out who is calling, and check what the caller may do.

`authenticate` and `read` run once, before the checks. The checks decide from their results, without I/O.
"""

from typing import Any

import msgspec

from chalicelib import NAME
from chalicelib.identity.principal import NotAPrincipal, from_claims
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import RecordKind, TrustRule, mismatches, permitting
from chalicelib.identity.unverified import is_time
from chalicelib.rest import idempotency, problems
from chalicelib.rest.call import Call
from chalicelib.rest.decoding import is_text
from chalicelib.rest.problems import Problem
from chalicelib.settings import settings
from chalicelib.vocabulary import Purpose

# SQL for one column: the trust rules for a pipeline's repository in a system, or a bounded number of those in all
# systems if %(system)s is null. app.py sets it, because rest imports no resource.
publishers_column: str | None = None

# The number of publishers that a refusal names.
MOST_NAMED = 10

_CLAIMS = msgspec.json.Decoder(dict[str, Any])


def require_one_token(call: Call) -> None:
    """Nobody can tell which of several tokens the authorizer has verified."""
    if "," in (call.request.headers.get("authorization") or ""):
        raise _unauthenticated("The request has several tokens. Send one.")


def authenticate(call: Call) -> None:
    """Set the call's principal from the verified claims, or raise problem 401 or 403."""
    claims = (call.request.context.get("authorizer") or {}).get("claims")
    if not claims:
        raise _unauthenticated("The request has no verified token. Send a token as `Authorization: Bearer <token>`.")
    try:
        known = _CLAIMS.decode(claims)
        # The authorizer refuses such a token too. But the time of expiry is in answers, so it must be one.
        if "exp" in known and not is_time(known["exp"]):
            raise _unauthenticated("The token's expiry is not a time. Get a new token.")
        principal = from_claims(known, settings().issuers)
    except (NotAPrincipal, msgspec.DecodeError) as error:
        raise Problem(
            problems.forbidden, f"The token does not say who is calling: {error}. Get a token from a trusted issuer."
        ) from None
    if principal.has_expired:
        raise _unauthenticated("The token has expired. Get a new token.")
    call.principal = principal


def read(call: Call, key: idempotency.Key | None) -> idempotency.Stored | None:
    """Read the publishers of a pipeline and the stored answer of a key, in one message. Return the stored answer.

    A pipeline gets its roles from the publishers. Only the publishers of the system that the request names are read, so
    other systems can't make the request slow. Other requests with the same key wait from now on. If the caller is
    no pipeline and sends no key, nothing is read.
    """
    principal = call.principal
    pipeline = principal.pipeline
    columns: list[str] = []
    parameters: dict[str, Any] = {"issuer": principal.issuer}
    if pipeline is not None:
        if publishers_column is None:
            raise LookupError(
                "rest.admission has no SQL for publishers. Set publishers_column at start, as app.py does."
            )
        columns.append(f"{publishers_column} AS publishers")
        # No system has a key that PostgreSQL can't hold.
        parameters["system"] = call.system if call.system is None or is_text(call.system) else ""
        parameters["repository_id"] = pipeline.repository_id
        parameters["repository_owner_id"] = pipeline.repository_owner_id
    if key is not None and (pipeline is not None or principal.is_known):  # a caller without a role is refused later
        idempotency.lock(call.db, key)
        columns.append(f"{idempotency.STORED} AS stored")
        parameters |= msgspec.structs.asdict(key)
    if not columns:
        return None
    found = msgspec.convert(call.db.row(f"SELECT {', '.join(columns)}", **parameters), _Found)
    if pipeline is not None:
        call.publishers = found.publishers
        call.principal = principal.with_publishers(found.publishers)
    return found.stored


class _Found(msgspec.Struct):
    publishers: tuple[TrustRule, ...] = ()
    stored: idempotency.Stored | None = None


def require_role(call: Call, role: Role, system: str | None = None) -> None:
    """Raise problem 403 if the caller's role in `system` is lower than `role`. None stands for no system."""
    principal = call.principal
    theirs = principal.role_in(system)
    if theirs < role:
        where = f" in {system!r}" if system else ""  # repr, because a path may hold characters that JSON does not allow
        raise Problem(
            problems.forbidden,
            f"{principal.subject!r} has the role {theirs.name}{where}, but this request needs {role.name}"
            f"{_what_next(call, role, system)}",
        )


def require_publisher(
    call: Call, system: str, kind: RecordKind, environment: str, purpose: Purpose | None = None
) -> list[TrustRule]:
    """Return the publishers that let the calling pipeline write records of `kind` for `environment`.

    Raise problem 403 if there is none. Other callers need no publisher: return an empty list for them. For workspaces,
    pass their `purpose`.
    """
    pipeline = call.principal.pipeline
    if pipeline is None:
        return []
    ours = [each for each in call.principal.publishers if each.system == system]
    permits = list(permitting(ours, pipeline, kind, environment, purpose))
    if not permits:
        job = "outside of a GitHub environment"
        if pipeline.environment is not None:
            job = f"in the GitHub environment {pipeline.environment!r}"
        raise Problem(
            problems.forbidden,
            f"No publisher of {system!r} lets {pipeline.workflow_ref!r} write {f'{purpose} ' if purpose else ''}{kind} "
            f"for {environment!r} from a job {job}. Ask a maintainer to add a publisher.",
        )
    return permits


def _what_next(call: Call, role: Role, system: str | None) -> str:
    """Return a text that says how the caller can get the role.

    For a pipeline, name the claims that the publishers of its repository refuse.
    """
    pipeline = call.principal.pipeline
    if pipeline is None:
        return ". Ask an admin for this role."
    if role > Role.pipeline:
        return f". A pipeline can't have this role: ask a person who is {role.name} to do this."
    wrong = [
        f"; publisher {each.id} of {each.system} expects another {', '.join(mismatches(each, pipeline))}"
        for each in call.publishers
        if system in (None, each.system) and each not in call.principal.publishers
    ]
    if len(wrong) > MOST_NAMED:
        wrong[MOST_NAMED:] = [f"; {len(wrong) - MOST_NAMED} other publishers do not trust this run either"]
    why = "".join(wrong) or f"; no publisher of {system!r} trusts this repository"
    return f"{why}. Ask a maintainer to add a publisher that trusts this run."


def _unauthenticated(detail: str) -> Problem:
    return Problem(problems.unauthenticated, detail, headers={"WWW-Authenticate": f'Bearer realm="{NAME}"'})
