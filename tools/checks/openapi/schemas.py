"""The JSON schemas of types, and examples of their values."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

Json = dict[str, Any]

COMPONENTS = "#/components/schemas/"

_NULL = {"type": "null"}
_EMPTY: tuple[Any, ...] = ([], {})


class Schemas:
    """The schemas of some types. Those of structs and enumerations are shared: they are `components`."""

    def __init__(self, types: Sequence[Any]) -> None:
        self._types = list(types)
        # One call for all of them: so msgspec tells types apart that have the same name.
        schemas, components = msgspec.json.schema_components(types, ref_template=COMPONENTS + "{name}")
        self._schemas: list[Json] = [_tidy(schema) for schema in schemas]
        self.components: Json = {_tidy_name(name): _tidy(schema) for name, schema in components.items()}

    def of(self, type_: Any) -> Json:
        """The schema of one of the types."""
        return self._schemas[self._types.index(type_)]

    def resolve(self, schema: Json) -> Json:
        """The component that a schema refers to."""
        component: Json = self.components[schema["$ref"].removeprefix(COMPONENTS)]
        return component

    def example(self, schema: Json) -> Any:
        """A value that fits: the schema's own example, else a value that it names, else one made of parts."""
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
    """What msgspec says, without what is Python's."""
    if isinstance(schema, list | tuple):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {keyword: _tidy_value(keyword, value) for keyword, value in schema.items()}


def _tidy_value(keyword: str, value: Any) -> Any:
    match keyword, value:
        case "pattern", str():
            # In ECMA 262, whose patterns JSON Schema has, `$` matches nowhere but at the end.
            return value.removesuffix(r"(?!\n)")
        case "$ref", str():
            return COMPONENTS + _tidy_name(value.removeprefix(COMPONENTS))
        case "title", str():
            return _tidy_name(value)
    return _tidy(value)


def _tidy_name(name: str) -> str:
    """`DeploymentPage` for the generic `Page[Deployment]`, as a component msgspec's `Page_Deployment_`."""
    return re.sub(r"^([A-Za-z0-9]+)[\[_]([A-Za-z0-9]+)[\]_]$", r"\2\1", name)
