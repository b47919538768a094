"""Ids: opaque texts for callers, numbers in the database."""

import re
from typing import Annotated

from msgspec import Meta

_DIGITS = "[1-9][0-9]{0,17}"
_ID = re.compile(_DIGITS, re.ASCII)

NumberedId = Annotated[str, Meta(pattern=rf"^{_DIGITS}$(?!\n)")]


def number(id_: str) -> int:
    """Return the number of an id, or 0 if the text is not an id. No row has the number 0."""
    return int(id_) if _ID.fullmatch(id_) else 0
