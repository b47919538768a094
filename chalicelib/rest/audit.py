"""Audit events: what every write leaves behind, in its transaction, and every refusal of one, after its rollback."""

import re
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.database.connection import DatabaseUnavailable, UnusableValue
from chalicelib.database.events import EVENT
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem
from chalicelib.telemetry import logger
from chalicelib.vocabulary import SLUG

if TYPE_CHECKING:
    from chalicelib.rest.operation import Call

_SLUG = re.compile(SLUG, re.ASCII)


def record(
    call: "Call", action: str, resource: str, *, system: str | None, before: Any = None, after: Any = None
) -> None:
    """Leave an event of what was done, in the message that commits it: of a change, the fields that changed."""
    if before is not None and after is not None:
        before, after = _changed(before, after)
    call.db.queue(EVENT, **_event(call, action, resource, system, _encoded(before), _encoded(after)))


def record_refusal(call: "Call", problem: Problem) -> None:
    """Leave an event of a write that was understood and refused, once its transaction is rolled back.

    Not of strangers: tokens that grant nothing are to be had by everybody, and so would be the table. The answer
    does not depend on it.
    """
    if not (call.operation.writes and call.is_somebodys and _is_refusal(problem)):
        return
    system = call.path.get("system", "")
    event = _event(
        call,
        call.operation.action,
        _printable(call.address.removeprefix("/v1/").removeprefix("systems/")),
        system if _SLUG.fullmatch(system) else None,
        refusal=problem.type.slug,
    )
    try:
        call.db.execute(EVENT, **event)
    except (DatabaseUnavailable, UnusableValue) as error:
        logger.error("refusal not recorded", extra={"request_id": call.id, "reason": str(error)})


def _event(
    call: "Call",
    action: str,
    resource: str,
    system: str | None,
    before: str | None = None,
    after: str | None = None,
    refusal: str | None = None,
) -> dict[str, Any]:
    return {
        "system": system,
        "issuer": call.principal.issuer,
        "principal": call.principal.subject,
        "action": action,
        "resource": resource,
        "before": before,
        "after": after,
        "refusal": refusal,
        "request_id": call.id,
    }


def _encoded(value: Any) -> str | None:
    """What is told of a representation: of a person no more than the subject's name."""
    if value is None:
        return None
    if getattr(value, "run_actor", None) is not None:
        value = msgspec.structs.replace(value, run_actor=None)
    return msgspec.json.encode(value).decode()


def _changed(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members that differ, as they were and as they became."""
    was, became = msgspec.to_builtins(before), msgspec.to_builtins(after)
    names = [name for name in became if was[name] != became[name]]
    return {name: was[name] for name in names}, {name: became[name] for name in names}


def _is_refusal(problem: Problem) -> bool:
    """Whether the request made sense, and was not allowed or contradicted what is there."""
    senseless = problem.type in (problems.invalid, problems.key_reused)
    return problem.type.status in (403, 409, 412, 422) and not senseless


def _printable(text: str) -> str:
    """What somebody sent as an address, in characters that a text can hold."""
    return text[:500].encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
