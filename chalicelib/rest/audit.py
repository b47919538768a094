"""Audit events. A write adds an event in its own transaction. A refused write adds an event afterwards."""

import re
from typing import Any

import msgspec

from chalicelib.database.connection import ConstraintViolated, DatabaseUnavailable, UnusableValue
from chalicelib.database.events import EVENT
from chalicelib.rest import problems, rates
from chalicelib.rest.call import Call
from chalicelib.rest.problems import Problem
from chalicelib.telemetry.logs import logger
from chalicelib.vocabulary import SLUG

# Values of the largest requests fit, so nobody can hide a change from the trail by making it long.
MOST_BYTES = 128 * 1024

_COUNTED_EVENT = rates.counting(EVENT)


def record(
    call: Call,
    resource: str,
    *,
    action: str | None = None,
    system: str | None = None,
    before: Any = None,
    after: Any = None,
    reason: str | None = None,
) -> None:
    """Queue an event of a write. With both `before` and `after`, keep only the fields that differ.

    `action` defaults to the operation's action. Name another action for anything else that the operation also did.
    """
    if before is not None and after is not None:
        before, after = _changed(before, after)
    principal = call.principal
    call.db.queue(
        EVENT if call.is_counted else _COUNTED_EVENT,
        system=system,
        issuer=principal.issuer,
        principal=principal.subject,
        action=action or call.operation.action,
        resource=resource,
        before=_encoded(before),
        after=_encoded(after),
        refusal=None,
        reason=reason,
        request_id=call.id,
        **rates.parameters(principal),
    )
    call.is_counted = True


def record_refusal(call: Call, problem: Problem) -> Problem:
    """Add an event of a write that was understood and refused. Call this outside of the transaction.

    Return the problem to answer with: another one if too many writes of the caller were refused
    in this hour.

    Skip dry runs, which change nothing. Skip callers without a role: anyone can get a GitHub token and could flood the
    table. The answer is sent even if the event can't be written.
    """
    if call.is_dry_run or not (call.operation.writes and call.has_role and _is_refusal(problem)):
        return problem
    system = call.path.get("system", "")
    try:
        call.db.execute(
            _COUNTED_EVENT,
            system=system if re.fullmatch(SLUG, system, re.ASCII) else None,
            issuer=call.principal.issuer,
            principal=call.principal.subject,
            action=call.operation.action,
            resource=_printable(call.address.removeprefix("/v1/").removeprefix("systems/")),
            before=None,
            after=None,
            refusal=problem.type.slug,
            reason=None,
            request_id=call.id,
            **rates.parameters(call.principal, refused=True),
        )
    except ConstraintViolated as error:
        if error.name != rates.WITHIN_RATE:
            raise
        return rates.exceeded(refused=True)
    except (DatabaseUnavailable, UnusableValue) as error:
        logger.error("refusal not recorded", extra={"reason": str(error)})
    return problem


def _encoded(value: Any) -> str | None:
    """Encode a value for the audit trail, without the person who started a run, and in at most about MOST_BYTES."""
    if value is None:
        return None
    if getattr(value, "run_actor", None) is not None:
        value = msgspec.structs.replace(value, run_actor=None)
    encoded = msgspec.json.encode(value)
    if len(encoded) > MOST_BYTES:
        encoded = msgspec.json.encode(_cut(msgspec.to_builtins(value)))
    return encoded.decode()


def _cut(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace the longest values by `{"cut_bytes": …}` until the others fit."""
    sizes = {name: len(msgspec.json.encode(value)) for name, value in fields.items()}
    for name in sorted(sizes, key=lambda name: sizes[name], reverse=True):
        if sum(sizes.values()) <= MOST_BYTES:
            break
        fields = fields | {name: {"cut_bytes": sizes.pop(name)}}
    return fields


def _changed(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the old and the new values of the fields that differ."""
    was, became = msgspec.to_builtins(before), msgspec.to_builtins(after)
    names = [name for name in became if was[name] != became[name]]
    return {name: was[name] for name in names}, {name: became[name] for name in names}


def _is_refusal(problem: Problem) -> bool:
    """True if the request was well formed, but forbidden or in conflict with the current data."""
    senseless = problem.type in (problems.invalid, problems.key_reused)
    return problem.type.status in (403, 409, 412, 422) and not senseless


def _printable(text: str) -> str:
    """Return the first 500 characters of an address, in ASCII and without NUL: a text column can't hold every text."""
    return text[:500].encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:500]
