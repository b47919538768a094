"""Patterns that a whole text must match, with the same meaning in Python and in JSON Schema."""

from msgspec import Meta

# `\s` matches other characters in Python than in ECMA 262, which JSON Schema uses. NOT_WHITE excludes what `\s` matches
# in either of the two, and all characters below U+0020.
NOT_WHITE = r"[^\s\u0000-\u001f\u0085\ufeff]"
# `decoding` refuses NUL in every text. NO_NUL states this in the schema of a text that has no other pattern.
NO_NUL = {"pattern": r"^[^\u0000]*$"}


# An example for each pattern. Error messages show it to callers whose text does not match.
EXAMPLES: dict[str, str] = {}


def matching(pattern: str, example: str, description: str = "", max_length: int | None = None) -> Meta:
    """Return the Meta of a text that must match the pattern from its start to its end.

    Python's `$` also matches before a newline at the end. The lookahead excludes this match.
    """
    whole = rf"^{pattern}$(?!\n)"
    EXAMPLES.setdefault(whole, example)
    return Meta(pattern=whole, examples=[example], description=description or None, max_length=max_length)
