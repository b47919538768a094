"""Turn the bytes of a request into typed values, or into a problem that names up to MAX_FAULTS faults at once."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args
from urllib.parse import unquote

import chalice
import msgspec

from chalicelib.patterns import EXAMPLES
from chalicelib.rest import problems
from chalicelib.rest.problems import Fault, Problem
from chalicelib.rest.types import TIME, Request

# Lambda fails on an answer of more than 6 MB, so a refusal must not grow with the request.
MAX_FAULTS = 100
MAX_QUOTED = 300

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# The UTC offset after a time of day. A time that ends in Z is in UTC already.
_OFFSET = re.compile(rb":[0-9.]+[+-]")
_TIME = re.compile(TIME)
# Each body with a time that msgspec and RFC 3339 read differently has this. Most bodies without one do not. The pattern
# begins with a colon, because Python finds a fixed text fast.
_UNUSUAL_TIME = re.compile(rb':(?:60|(?<=[0-9] [0-9]{2}:)|[0-9]{2}(?:[.][0-9]+)?[+-][0-9]{4}")')
# `patterns.matching` adds this to each pattern for Python alone. Messages that quote a pattern leave it out.
_END_IN_PYTHON = r"(?!\\n)"
# msgspec's message about every text that is no time.
_NO_TIME = "Invalid RFC3339 encoded datetime"
_NO_TEXT = "holds a NUL character or half of a surrogate pair: remove it"
_MISSING = "is required: send a value"
_MATCHING = "matching regex "
_STEP = r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]"  # only refusals need it, so a cold start need not compile it


def body(type_: type[Request], request: chalice.app.Request) -> Any:
    """Return the body as a `type_`, or raise problem 400, 413, 415 or 422."""
    sent = request.headers.get("content-type") or ""
    if sent != "application/json" and (content_type := sent.partition(";")[0].strip().lower()) != "application/json":
        raise Problem(
            problems.unsupported_media_type,
            f"The body's type is {content_type!r}. Send JSON, with `Content-Type: application/json`."
            if content_type
            else "The body has no type. Send JSON, with `Content-Type: application/json`.",
        )
    try:
        raw = request.raw_body
        raw = raw if isinstance(raw, bytes) else raw.encode()
    except ValueError:
        raise Problem(problems.malformed, "The body is neither UTF-8 nor Base64. Send JSON in UTF-8.") from None
    if len(raw) > type_.max_bytes:
        raise Problem(
            problems.too_large, f"The body has {len(raw)} bytes. Send at most {type_.max_bytes} in one request."
        )
    value = _read(raw)
    if b"\\" in raw or _UNUSUAL_TIME.search(raw):
        value = _with_strict_times(type_, value)
    try:
        decoded: Any = msgspec.convert(value, type_)
    except msgspec.ValidationError:
        value = _with_strict_times(type_, _parse(raw))
        if wrong := list(faults(type_, value)):
            raise _invalid(wrong) from None
        # In JSON Schema, 60.0 is an integer. msgspec refuses 60.0, so `_parse` reads it as 60.
        decoded = msgspec.convert(value, type_)
    further = _put_into_utc(decoded) if b"\\" in raw or _OFFSET.search(raw) else []
    if further := [*further, *getattr(decoded, "faults", tuple)()]:
        raise _invalid(further)
    return decoded


def path(parameters: Mapping[str, str]) -> dict[str, str]:
    """Decode the path parameters, which API Gateway passes on as they were sent. Refuse nothing."""
    return {name: unquote(sent) if "%" in sent else sent for name, sent in parameters.items()}


def query(type_: type | None, parameters: Any) -> Any:
    """Return the query parameters as a `type_`, or raise problem 422 if one is missing, unknown, repeated or wrong."""
    if type_ is None and not parameters:
        return None
    given = {name: parameters.getlist(name) for name in parameters or ()}
    known = _fields(type_) if type_ else {}
    times = {shown for _, shown in _with_times(type_)} if type_ else set()
    wrong = [Fault(f"#/{name}", _MISSING) for name, field in known.items() if field.required and name not in given]
    decoded: dict[str, Any] = {}
    for name, values in given.items():
        if not is_text(name):
            wrong.append(Fault("#", f"a parameter's name {_NO_TEXT}"))
        elif name not in known:
            wrong.append(
                Fault(f"#/{_escape(name)}", "is not a parameter of this operation: remove it or correct its name")
            )
        elif len(values) > 1:
            wrong.append(Fault(f"#/{name}", "is given more than once: send it once"))
        elif not is_text(values[0]):
            wrong.append(Fault(f"#/{name}", _NO_TEXT))
        else:
            try:
                text = _strict_time(values[0]) if name in times else values[0]
                decoded[name] = _from_text(text, known[name].type)
            except msgspec.ValidationError as error:
                wrong.append(_fault(error, prefix=f"/{name}"))
    made = msgspec.convert(decoded, type_) if type_ and not wrong else None
    if wrong := wrong or _put_into_utc(made):
        raise _invalid(wrong)
    return made


def is_text(value: str) -> bool:
    """True if PostgreSQL and JSON can hold the text: no NUL character and no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _from_text(value: str, type_: Any) -> Any:
    """Return a parameter's value. Numbers and booleans have one spelling each: `7`, not `07`; `true`, not `1`."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        read = msgspec.convert(value, type_, strict=False)
        if isinstance(read, int) and str(read).lower() == value:
            return read
        raise


def faults(type_: type, value: Any) -> Iterable[Fault]:
    """Yield a fault for every field of `value` that does not fit `type_`. msgspec itself stops at the first fault."""
    if not isinstance(value, dict):
        yield Fault("#", "is not an object: send an object, such as {}")
        return
    fields = _fields(type_)
    for name in value:
        if name not in fields:
            yield Fault(f"#/{_escape(name)}", "is not a field of this request: remove it or correct its name")
    for name, field in fields.items():
        if name in value:
            try:
                msgspec.convert(value[name], field.type)
            except msgspec.ValidationError as error:
                yield _fault(error, prefix=f"/{name}")
        elif field.required:
            yield Fault(f"#/{name}", _MISSING)


def _with_strict_times(type_: Any, value: Any) -> Any:
    """Return a value in which msgspec finds the times of RFC 3339, and no others. `type_` may hold a time."""
    if isinstance(value, str):
        return _strict_time(value)
    if isinstance(value, list):
        return [_with_strict_times(type_, each) for each in value]
    struct = _struct_in(type_)
    if isinstance(value, dict) and struct is not None:
        changed = {
            shown: _with_strict_times(_fields(struct)[shown].type, value[shown])
            for _, shown in _with_times(struct)
            if shown in value
        }
        return {**value, **changed}
    return value


def _strict_time(text: str) -> str:
    """Return a time for msgspec, or an empty text for all that is no time of RFC 3339.

    A leap second is the second after it, as in PostgreSQL. It ends a day in UTC (RFC 3339, section 5.7).
    """
    if not _TIME.fullmatch(text):
        return ""
    if text[17:19] != "60":
        return text
    try:
        before = datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper())
        in_utc = before.astimezone(UTC)
        return (before + timedelta(seconds=1)).isoformat() if (in_utc.hour, in_utc.minute) == (23, 59) else ""
    except (ValueError, OverflowError):
        return ""


def _struct_in(type_: Any) -> Any:
    return type_ if _is_struct(type_) else next(filter(None, map(_struct_in, get_args(type_))), None)


def _put_into_utc(struct: Any) -> list[Fault]:
    """Convert every time in a request to UTC; return the faults. PostgreSQL refuses offsets of 16 hours or more."""
    wrong: list[Fault] = []
    for name, shown in _with_times(struct.__class__):
        given = getattr(struct, name)
        if isinstance(given, datetime):
            if given.tzinfo is not UTC:
                try:
                    setattr(struct, name, given.astimezone(UTC))
                except OverflowError:
                    wrong.append(Fault(f"#/{shown}", "is outside of the years 1 to 9999 in UTC: send another time"))
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
    """Return the fields that may hold a time, or a struct with a time. Each has its names in Python and in JSON."""
    return [(field.name, field.encode_name) for field in _fields(type_).values() if _may_hold_time(field.type)]


def _may_hold_time(type_: Any) -> bool:
    if _is_struct(type_):
        return bool(_with_times(type_))
    return type_ is datetime or any(map(_may_hold_time, get_args(type_)))


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


@cache
def _fields(type_: type) -> Mapping[str, msgspec.structs.FieldInfo]:
    """Return the fields of a type by their names in JSON.

    The result is cached, because evaluating annotations is slow.
    """
    return {field.encode_name: field for field in msgspec.structs.fields(type_)}


def _read(raw: bytes) -> Any:
    """Return the body as plain values. msgspec reads it if it has no escape and no repeated key, otherwise `_parse`.

    msgspec keeps only one of two equal keys, so its result has fewer quotes than the body. Counting the quotes takes a
    third of the time that `_parse` takes.
    """
    if b"\\" not in raw:
        try:
            value = msgspec.json.decode(raw)
            if raw.count(b'"') == msgspec.json.encode(value).count(b'"'):
                return value
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            pass  # `_parse` finds out what is wrong
    return _parse(raw)


def _parse(raw: bytes) -> Any:
    """Return the body as plain values.

    Refuse whatever RFC 8259 does not allow, keys that are given twice, and texts that PostgreSQL can't hold.
    """
    escapes = b"\\u" in raw  # few bodies have escapes, so most skip the slow searches below
    try:
        value = _JSON.decode(raw.decode())
        if escapes and _ESCAPED_SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Problem(
            problems.malformed, "The body has half of a surrogate pair. Send both halves, or remove the half."
        ) from None
    except UnicodeDecodeError:
        raise Problem(problems.malformed, "The body is not UTF-8. Send JSON in UTF-8.") from None
    except ValueError as error:
        raise Problem(problems.malformed, f"The body is not JSON: {error}. Correct the body.") from None
    except RecursionError:
        raise Problem(problems.malformed, "The body is nested too deeply. Send fewer levels.") from None
    if escapes and _ESCAPED_NUL.search(raw):
        raise _invalid([Fault("#", "has a text with a NUL character: remove the character")])
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object has the same key twice")
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
    """Turn msgspec's message, ``… - at `$.commits[0].sha` ``, into a pointer and a detail."""
    message = str(error)
    # Split at the last " - at `": the text before may quote the request.
    detail, found, place = message.rpartition(" - at `")
    if not found or not place.endswith("`"):
        detail, place = message, ""
    steps = [_escape(name or index) for name, index in re.findall(_STEP, place.rstrip("`"))]
    return Fault("#" + prefix + "".join(f"/{step}" for step in steps), _with_example(detail))


def _with_example(detail: str) -> str:
    """Add an example to a detail that says which pattern was not matched, or that a text is no time."""
    if detail == _NO_TIME:
        return "is not a time as in RFC 3339 in the years 1 to 9999: send one such as '2026-03-01T12:00:00Z'"
    _, found, pattern = detail.partition(_MATCHING)
    example = next((EXAMPLES[each] for each in EXAMPLES if repr(each) == pattern), None) if found else None
    detail = _cut(detail.replace(_END_IN_PYTHON, ""))
    return f"{detail}, such as {example!r}" if example is not None else detail


def _escape(step: str) -> str:
    return _cut(step).replace("~", "~0").replace("/", "~1")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"
