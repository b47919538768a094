"""Ids are opaque to callers; inside, they are numbers."""

import re
from typing import Annotated

from msgspec import Meta

_DIGITS = "[1-9][0-9]{0,17}"
_ID = re.compile(_DIGITS, re.ASCII)

NumberedId = Annotated[str, Meta(pattern=rf"^{_DIGITS}$(?!\n)")]


def number(id_: str) -> int:
    """Return the number behind an id, or 0 if the text is no id. No row has the number 0."""
    return int(id_) if _ID.fullmatch(id_) else 0
