"""From the bytes of a request to typed values, or to a problem that names every fault at once."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args
from urllib.parse import unquote

import chalice
import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Fault, Problem

MAX_BODY_BYTES = 1024 * 1024
# Lambda gives up on an answer of more than 6 MB, so a refusal must not grow with what it refuses.
MAX_FAULTS = 100
MAX_QUOTED = 300

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# After a time of day; what ends in Z is in UTC as it is read.
_OFFSET = re.compile(rb":[0-9.]+[+-]")
# What `types.matching` adds to a pattern for Python alone, as msgspec quotes it. Callers need not know.
_END_IN_PYTHON = r"(?!\\n)"
_NO_TEXT = "can't hold a NUL character or half of a surrogate pair"
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def body(type_: type, request: chalice.app.Request) -> Any:
    """The body as a `type_`. Raises problems 400, 413, 415 and 422."""
    content_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Problem(
            problems.unsupported_media_type,
            f"The body is {repr(content_type) if content_type else 'of no type'}, not application/json",
        )
    try:
        raw = request.raw_body
        raw = raw if isinstance(raw, bytes) else raw.encode()
    except ValueError:
        raise Problem(problems.malformed, "The body is neither UTF-8 nor Base64 of it") from None
    if len(raw) > MAX_BODY_BYTES:
        raise Problem(problems.too_large, f"The body has {len(raw)} bytes; {MAX_BODY_BYTES} is the most")
    value = _parse(raw)
    try:
        decoded: Any = msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError:
        if wrong := list(faults(type_, value)):
            raise _invalid(wrong) from None
        # To JSON Schema, and to many who write JSON, 60.0 is an integer. To msgspec it is none, but `_parse` read one.
        decoded = msgspec.convert(value, type_)
    except msgspec.DecodeError as error:
        raise Problem(problems.malformed, f"The body can't be read: {error}") from None
    further = _put_into_utc(decoded) if b"\\" in raw or _OFFSET.search(raw) else []
    if further := [*further, *getattr(decoded, "faults", tuple)()]:
        raise _invalid(further)
    return decoded


def path(parameters: Mapping[str, str]) -> dict[str, str]:
    """The path parameters, decoded once: API Gateway hands them over as they were sent. Nothing is refused here."""
    return {name: unquote(sent) for name, sent in parameters.items()}


def query(type_: type | None, parameters: Any) -> Any:
    """The query parameters as a `type_`. Raises problem 422 for unknown, repeated and ill-formed ones."""
    if type_ is None and not parameters:
        return None
    given = {name: parameters.getlist(name) for name in parameters or ()}
    known = _fields(type_) if type_ else {}
    wrong = [Fault(f"#/{name}", "is required") for name, field in known.items() if field.required and name not in given]
    decoded: dict[str, Any] = {}
    for name, values in given.items():
        if not is_text(name):
            wrong.append(Fault("#", f"a parameter's name {_NO_TEXT}"))
        elif name not in known:
            wrong.append(Fault(f"#/{_escape(name)}", "is not a parameter of this address"))
        elif len(values) > 1:
            wrong.append(Fault(f"#/{name}", "is given more than once"))
        elif not is_text(values[0]):
            wrong.append(Fault(f"#/{name}", _NO_TEXT))
        else:
            try:
                decoded[name] = _from_text(values[0], known[name].type)
            except msgspec.ValidationError as error:
                wrong.append(_fault(error, prefix=f"/{name}"))
    made = msgspec.convert(decoded, type_) if type_ and not wrong else None
    if wrong := wrong or _put_into_utc(made):
        raise _invalid(wrong)
    return made


def is_text(value: str) -> bool:
    """Whether a value can be stored and answered: PostgreSQL has no NUL, and UTF-8 no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _from_text(value: str, type_: Any) -> Any:
    """A parameter's value: a text is itself; numbers and booleans are read from it, each spelt in one way."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        read = msgspec.convert(value, type_, strict=False)
        if isinstance(read, int) and str(read).lower() == value:
            return read
        raise


def faults(type_: type, value: Any) -> Iterable[Fault]:
    """Every field of `value` that does not fit `type_`: msgspec itself stops at the first."""
    if not isinstance(value, dict):
        yield Fault("#", "an object is expected")
        return
    fields = _fields(type_)
    for name in value:
        if name not in fields:
            yield Fault(f"#/{_escape(name)}", "is not a field of this request")
    for name, field in fields.items():
        if name in value:
            try:
                msgspec.convert(value[name], field.type)
            except msgspec.ValidationError as error:
                yield _fault(error, prefix=f"/{name}")
        elif field.required:
            yield Fault(f"#/{name}", "is required")


def _put_into_utc(struct: Any) -> list[Fault]:
    """Put every time of a request into UTC: PostgreSQL knows no offset of 16 hours, and Python no year 10000."""
    wrong: list[Fault] = []
    for name, shown in _with_times(struct.__class__):
        given = getattr(struct, name)
        if isinstance(given, datetime):
            if given.tzinfo is not UTC:
                try:
                    setattr(struct, name, given.astimezone(UTC))
                except OverflowError:
                    wrong.append(Fault(f"#/{shown}", "lies outside of the years 1 to 9999 of UTC"))
        elif isinstance(given, tuple):
            for index, each in enumerate(given):
                if below := _put_into_utc(each):
                    wrong += _below(f"/{shown}/{index}", below)
        elif isinstance(given, msgspec.Struct):
            wrong += _below(f"/{shown}", _put_into_utc(given))
    return wrong


def _below(place: str, found: list[Fault]) -> Iterable[Fault]:
    return (Fault(f"#{place}{fault.pointer[1:]}", fault.detail) for fault in found)


@cache
def _with_times(type_: type) -> list[tuple[str, str]]:
    """The fields of a type that may hold a time, or what has one: their names in Python and in JSON."""
    return [(field.name, field.encode_name) for field in _fields(type_).values() if _may_hold_time(field.type)]


def _may_hold_time(type_: Any) -> bool:
    if _is_struct(type_):
        return bool(_with_times(type_))
    return type_ is datetime or any(map(_may_hold_time, get_args(type_)))


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


@cache
def _fields(type_: type) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The fields of a type by their names in JSON. Finding them evaluates annotations, which takes longer than use."""
    return {field.encode_name: field for field in msgspec.structs.fields(type_)}


def _parse(raw: bytes) -> Any:
    """The body as plain values; refuses what is not JSON to the letter, and keys that are given twice."""
    escapes = b"\\u" in raw  # few bodies have any, and looking for theirs takes longer than all else
    try:
        value = _JSON.decode(raw.decode())
        if escapes and _ESCAPED_SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Problem(problems.malformed, "A text can't hold half of a surrogate pair") from None
    except UnicodeDecodeError:
        raise Problem(problems.malformed, "The body is not UTF-8") from None
    except ValueError as error:
        raise Problem(problems.malformed, f"The body is not JSON: {error}") from None
    except RecursionError:
        raise Problem(problems.malformed, "The body is nested too deeply") from None
    if escapes and _ESCAPED_NUL.search(raw):
        raise _invalid([Fault("#", "a text can't hold a NUL character")])
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key is given more than once in one object")
    return members


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_number)


def _invalid(wrong: list[Fault]) -> Problem:
    first = wrong[0]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return Problem(problems.invalid, f"{first.pointer}: {first.detail}{more}", errors=wrong[:MAX_FAULTS])


def _fault(error: msgspec.ValidationError, prefix: str = "") -> Fault:
    """msgspec's message, ``… - at `$.commits[0].sha` ``, as a pointer and a detail."""
    message = str(error)
    # The last one: what stands before may be quoted from the request, and hold anything.
    detail, found, place = message.rpartition(" - at `")
    if not found or not place.endswith("`"):
        detail, place = message, ""
    steps = [_escape(name or index) for name, index in _STEP.findall(place.rstrip("`"))]
    return Fault("#" + prefix + "".join(f"/{step}" for step in steps), _cut(detail.replace(_END_IN_PYTHON, "")))


def _escape(step: str) -> str:
    return _cut(step).replace("~", "~0").replace("/", "~1")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"
