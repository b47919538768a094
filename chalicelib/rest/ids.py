"""Ids are opaque to callers; inside, they are numbers."""

import re

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def number(id_: str) -> int:
    """The number behind an id. What can't be one is 0, the number of nothing."""
    return int(id_) if _ID.fullmatch(id_) else 0
