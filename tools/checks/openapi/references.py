"""Find the components that a document refers to, and replace references with these components."""

import json
import re
from typing import Any

from tools.checks.openapi.schemas import Json

_REFERENCE = re.compile(r'"#/components/(\w+)/([^"]+)"')


def referenced(components: Json, paths: Json) -> Json:
    """Return the components that the paths refer to, directly or through other components."""
    found: set[tuple[str, str]] = set()
    parts = [paths]
    while parts:
        further = set(_REFERENCE.findall(json.dumps(parts))) - found
        found |= further
        parts = [components[kind][name] for kind, name in further]
    return {
        kind: {name: part for name, part in named.items() if (kind, name) in found}
        for kind, named in components.items()
    }


def inlined(part: Any, components: Json) -> Any:
    """Return a part of a document, with each reference replaced by its component."""
    match part:
        case {"$ref": str(reference)}:
            kind, name = reference.split("/")[-2:]
            return inlined(components[kind][name], components)
        case dict():
            return {name: inlined(value, components) for name, value in part.items()}
        case list():
            return [inlined(each, components) for each in part]
    return part
