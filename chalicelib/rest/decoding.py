"""From the bytes of a request to typed values, or to a problem that names every fault at once."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import chalice
import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Fault, Problem

MAX_BODY_BYTES = 1024 * 1024

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_PLACE = re.compile(r"^(.*?)(?: - at `(?:key in )?\$(.*)`)?$", re.DOTALL)
# What `types.matching` adds to a pattern for Python alone, as msgspec quotes it. Callers need not know.
_END_IN_PYTHON = r"(?!\\n)"
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def body(type_: type, request: chalice.app.Request) -> Any:
    """The body as a `type_`. Raises problems 400, 413, 415 and 422."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Problem(
            problems.unsupported_media_type,
            f"The body is {content_type or 'of no type'}, not application/json",
        )
    raw = request.raw_body
    raw = raw if isinstance(raw, bytes) else raw.encode()
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
    if further := list(getattr(decoded, "faults", tuple)()):
        raise _invalid(further)
    return decoded


def query(type_: type | None, parameters: Any) -> Any:
    """The query parameters as a `type_`. Raises problem 422 for unknown, repeated and ill-formed ones."""
    given = {name: parameters.getlist(name) for name in parameters or ()}
    known = _fields(type_) if type_ else {}
    wrong = [
        Fault(f"#/{name}", "is given more than once" if name in known else "is not a parameter of this list")
        for name, values in given.items()
        if name not in known or len(values) > 1
    ]
    decoded: dict[str, Any] = {}
    single = {name: values[0] for name, values in given.items() if name in known}
    for name, value in single.items():
        try:
            decoded[name] = _from_text(value, known[name].type)
        except msgspec.ValidationError as error:
            wrong.append(_fault(error, prefix=f"/{name}"))
        if "\0" in value:
            wrong.append(Fault(f"#/{name}", "can't hold a NUL character"))
    if wrong:
        raise _invalid(wrong)
    return msgspec.convert(decoded, type_) if type_ else None


def _from_text(value: str, type_: Any) -> Any:
    """A parameter's value: a text is itself; numbers and booleans are read from it, and nothing else is."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        read = msgspec.convert(value, type_, strict=False)
        if isinstance(read, int):
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
        raise Problem(problems.invalid, "A text can't hold a NUL character")
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
    return Problem(problems.invalid, f"{first.pointer}: {first.detail}{more}", errors=wrong)


def _fault(error: msgspec.ValidationError, prefix: str = "") -> Fault:
    """msgspec's message, ``… - at `$.commits[0].sha` ``, as a pointer and a detail."""
    match = _PLACE.match(str(error))
    assert match is not None
    steps = [_escape(name or index) for name, index in _STEP.findall(match[2] or "")]
    return Fault("#" + prefix + "".join(f"/{step}" for step in steps), match[1].replace(_END_IN_PYTHON, ""))


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
