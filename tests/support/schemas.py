"""Check values against JSON schemas of an OpenAPI document."""

from typing import Any

from jsonschema_rs import Draft202012Validator

_RFC_3339 = Draft202012Validator({"format": "date-time"}, validate_formats=True)


def validator(schema: dict[str, Any], within: dict[str, Any]) -> Draft202012Validator:
    """Return a validator of a schema of the document `within`."""
    rooted = {**schema, "components": within["components"]}
    return Draft202012Validator(rooted, validate_formats=True, formats={"date-time": _is_time})


def _is_time(text: str) -> bool:
    """True for a time by RFC 3339, except in the year 0, which Python does not know."""
    return _RFC_3339.is_valid(text) and not text.startswith("0000")


def fits(value: Any, schema: dict[str, Any], within: dict[str, Any]) -> None:
    validator(schema, within).validate(value)


def problem_examples_fit(response: dict[str, Any], within: dict[str, Any]) -> None:
    if "$ref" in response:
        response = within["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response["content"]["application/problem+json"]
    assert content["examples"]
    for example in content["examples"].values():
        fits(example["value"], content["schema"], within)
