"""Check values against JSON schemas of an OpenAPI document."""

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker


def fits(value: Any, schema: dict[str, Any], within: dict[str, Any]) -> None:
    rooted = {**schema, "components": within["components"]}
    Draft202012Validator(rooted, format_checker=FormatChecker(["date-time"])).validate(value)


def problem_examples_fit(response: dict[str, Any], within: dict[str, Any]) -> None:
    if "$ref" in response:
        response = within["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response["content"]["application/problem+json"]
    assert content["examples"]
    for example in content["examples"].values():
        fits(example["value"], content["schema"], within)
