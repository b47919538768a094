"""Make the largest values that a request may have, from the types of its body.

A text has the characters that take the most bytes in an answer: a control character takes six.
"""

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from msgspec import inspect

# The caller whose name is the longest that the service accepts.
CALLER = {"sub": "\x01" * 1000}

# The characters that take the most bytes, the worst first.
WIDEST = '\x01"\\\U0001f600\u00e9'


def largest(type_: Any) -> Any:
    """Return the largest value of a type, as in the body of a request."""
    return _largest(inspect.type_info(type_))


def named(prefix: str, number: int, length: int = 39) -> str:
    """Return a name of the greatest length, which ends in a number."""
    return f"{prefix:x<{length - 4}}{number:04}"


def copy(given: Any, table: str, condition: str, **changes: str) -> None:
    """Insert each row of a table that meets a condition once more, with other values. Both are SQL over the row `t`."""
    columns = [
        name
        for (name,) in given.sql(
            """
            SELECT attname FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND attidentity = '' AND attgenerated = '' AND NOT attisdropped
            """,
            table,
        )
    ]
    values = ", ".join(changes.get(name, f"t.{name}") for name in columns)
    given.sql(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} t {condition}")


def _largest(type_: inspect.Type) -> Any:
    return _MAKERS[type(type_)](type_)


def _largest_of_union(type_: inspect.UnionType) -> Any:
    values = [_largest(each) for each in type_.types if not isinstance(each, inspect.NoneType)]
    return max(values, key=lambda value: len(str(value)))


def _text(pattern: str | None, max_length: int | None) -> str:
    if pattern is None:
        assert max_length is not None, "a text has no greatest length: give its type a max_length"
        return WIDEST[0] * max_length
    parsed = parser.parse(pattern)
    most = max_length or 10_000
    repeats = bisect_right(range(most + 1), most, key=lambda number: len(_matching(parsed, number))) - 1
    text = _matching(parsed, repeats)
    assert re.search(pattern, text), f"{text!r} does not match {pattern}"
    assert max_length or text == _matching(parsed, repeats + 1), f"{pattern} allows any length: add a max_length"
    return text


def _matching(parsed: Any, repeats: int) -> str:
    """Return the longest text that matches a parsed pattern, with `repeats` where the pattern has no bound."""
    text = ""
    for code, argument in parsed:
        match code:
            case op.LITERAL:
                text += chr(argument)
            case op.NOT_LITERAL:
                text += next(each for each in WIDEST if ord(each) != argument)
            case op.IN:
                text += next(each for each in (*WIDEST, *map(chr, range(33, 127))) if _is_in(each, argument))
            case op.MAX_REPEAT:
                low, high, repeated = argument
                text += _matching(repeated, repeats) * (max(low, repeats) if high is op.MAXREPEAT else high)
            case op.SUBPATTERN:
                text += _matching(argument[-1], repeats)
            case op.BRANCH:
                text += max((_matching(each, repeats) for each in argument[1]), key=len)
            case op.AT | op.ASSERT_NOT:
                pass
            case _:
                raise NotImplementedError(f"tests/support/largest.py reads no {code} in a pattern: add a case")
    return text


def _is_in(character: str, members: Any) -> bool:
    """True if a character is in a class such as `[a-z]`."""
    found = False
    for code, argument in members:
        match code:
            case op.LITERAL:
                found |= ord(character) == argument
            case op.RANGE:
                found |= argument[0] <= ord(character) <= argument[1]
            case op.CATEGORY:
                found |= character.isspace()
    return found is not (members[0][0] is op.NEGATE)


def _bare(type_: inspect.Type) -> inspect.Type:
    return type_.type if isinstance(type_, inspect.Metadata) else type_


# A list of objects is empty: the test that needs one knows which objects differ.
_MAKERS: dict[type, Callable[[Any], Any]] = {
    inspect.Metadata: lambda type_: _largest(type_.type),
    inspect.StructType: lambda type_: {field.encode_name: _largest(field.type) for field in type_.fields},
    inspect.StrType: lambda type_: _text(type_.pattern, type_.max_length),
    inspect.IntType: lambda type_: type_.le,
    inspect.BoolType: lambda type_: False,
    inspect.DateTimeType: lambda type_: "2026-01-01T12:00:00.123456+00:00",
    inspect.LiteralType: lambda type_: max(type_.values, key=len),
    inspect.UnionType: _largest_of_union,
    inspect.VarTupleType: lambda type_: list(getattr(_bare(type_.item_type), "values", ())),
    inspect.DictType: lambda type_: {},
}
