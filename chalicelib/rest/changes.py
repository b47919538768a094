"""PATCH: a field in the body replaces the resource's field; all other fields stay."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def changed(before: T, change: msgspec.Struct) -> T:
    """Return a copy of `before` with the fields that `change` sets.

    Skip fields that the resource does not have, such as the reason for the change.
    """
    given: dict[str, Any] = {
        name: value
        for name in change.__struct_fields__
        if name in before.__struct_fields__ and (value := getattr(change, name)) is not msgspec.UNSET
    }
    return msgspec.structs.replace(before, **given)
