"""JSON schemas of types, and examples of their values."""

import inspect
import re
from collections.abc import Sequence
from typing import Any

import msgspec

Json = dict[str, Any]

COMPONENTS = "#/components/schemas/"

_NULL = {"type": "null"}
_EMPTY: tuple[Any, ...] = ([], {})


class Schemas:
    """JSON schemas of types. `components` are the schemas of structs and enumerations, which other schemas refer to."""

    def __init__(self, types: Sequence[Any]) -> None:
        self._types = list(types)
        schemas, components = msgspec.json.schema_components(types, ref_template=COMPONENTS + "{name}")
        self._schemas: list[Json] = [_tidy(schema) for schema in schemas]
        self.components: Json = {_tidy_name(name): _tidy(schema) for name, schema in components.items()}

    def of(self, type_: Any) -> Json:
        """Return the schema of one of the types that the constructor got."""
        return self._schemas[self._types.index(type_)]

    def resolve(self, schema: Json) -> Json:
        """Return the component that a schema refers to."""
        component: Json = self.components[schema["$ref"].removeprefix(COMPONENTS)]
        return component

    def example(self, schema: Json) -> Any:
        """Return a value that fits a schema. Prefer the schema's own example or default to a made-up value."""
        match schema:
            case {"examples": [first, *_]} | {"const": first}:
                return first
            case {"default": default} if default not in _EMPTY:
                return default
            case {"enum": [first, *_]}:
                return first
            case {"$ref": _}:
                return self.example(self.resolve(schema))
            case {"anyOf": alternatives}:
                return self.example(next(each for each in alternatives if each != _NULL))
            case {"properties": members}:
                return {name: self.example(member) for name, member in members.items()}
            case {"items": item} if item:
                return [self.example(item)] * schema.get("minItems", 1)
        return _plain_example(schema)


def _plain_example(schema: Json) -> Any:
    match schema.get("type"):
        case "string" if schema.get("format") == "date-time":
            return "2026-03-01T12:00:00Z"
        case "string":
            return "text".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case "array":
            return []
    return {}


def _tidy(schema: Any) -> Any:
    """Return msgspec's schema with tidy names and texts. Remove the ends of patterns that only Python needs."""
    if isinstance(schema, list | tuple):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {keyword: _tidy_value(keyword, value) for keyword, value in schema.items()}


def _tidy_value(keyword: str, value: Any) -> Any:
    match keyword, value:
        case "pattern", str():
            # JSON Schema uses the patterns of ECMA 262, in which `$` matches only at the end.
            return value.removesuffix(r"(?!\n)")
        case "$ref", str():
            return COMPONENTS + _tidy_name(value.removeprefix(COMPONENTS))
        case "title", str():
            return _tidy_name(value)
        case "description", str():
            return inspect.cleandoc(value)  # before 3.13, Python keeps the indentation of docstrings
    return _tidy(value)


def _tidy_name(name: str) -> str:
    """Return `DeploymentPage` for the generic `Page[Deployment]`, whose component msgspec calls `Page_Deployment_`."""
    return re.sub(r"^([A-Za-z0-9]+)[\[_]([A-Za-z0-9]+)[\]_]$", r"\2\1", name)
