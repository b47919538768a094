"""PATCH: what is given replaces, what is not given stays."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def changed(before: T, change: msgspec.Struct) -> T:
    """`before` with the fields that `change` sets."""
    given: dict[str, Any] = {
        name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not msgspec.UNSET
    }
    return msgspec.structs.replace(before, **given)
