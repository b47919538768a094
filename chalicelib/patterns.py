"""Texts that match a pattern as a whole, alike in Python and in JSON Schema."""

from msgspec import Meta

# Python and ECMA 262, whose patterns JSON Schema has, differ in which characters `\s` means. This excludes both sets.
NOT_WHITE = r"[^\s\u0000-\u001f\u0085\ufeff]"
# `decoding` refuses NUL in every text. A text without a pattern of its own says so in its schema.
NO_NUL = {"pattern": r"^[^\u0000]*$"}


# An example of each pattern, for callers whose text does not match.
EXAMPLES: dict[str, str] = {}


def matching(pattern: str, example: str, description: str = "", max_length: int | None = None) -> Meta:
    """Bind a text to a pattern as a whole. In Python, `$` alone also matches before a final line break."""
    whole = rf"^{pattern}$(?!\n)"
    EXAMPLES.setdefault(whole, example)
    return Meta(pattern=whole, examples=[example], description=description or None, max_length=max_length)
