"""Patterns that a whole text must match, with the same meaning in Python and in JSON Schema."""

from msgspec import Meta

# In Python, `\s` means other characters than in ECMA 262, the dialect of JSON Schema. NOT_WHITE excludes both sets.
NOT_WHITE = r"[^\s\u0000-\u001f\u0085\ufeff]"
# `decoding` refuses NUL in every text. NO_NUL states this in the schema of a text that has no other pattern.
NO_NUL = {"pattern": r"^[^\u0000]*$"}


# An example for each pattern. Error messages show it to callers whose text does not match.
EXAMPLES: dict[str, str] = {}


def matching(pattern: str, example: str, description: str = "", max_length: int | None = None) -> Meta:
    """Return the Meta of a text that must match the whole pattern. Python's `$` also matches before a last newline."""
    whole = rf"^{pattern}$(?!\n)"
    EXAMPLES.setdefault(whole, example)
    return Meta(pattern=whole, examples=[example], description=description or None, max_length=max_length)
