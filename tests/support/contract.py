"""Check answers and accepted requests against the OpenAPI document."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from jsonschema_rs import Draft202012Validator, Registry

from tools.local.gateway_event import NoRoute, Routes

DOCUMENT = "urn:openapi"


class Contract:
    """An OpenAPI document. Its checks raise AssertionError, which says where the document and the service disagree."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._routes = Routes(document["paths"])
        self._request_validator = cache(_validators(document))
        self._answer_validator = cache(_validators(_closed(document)))
        self._response = cache(self._find_response)

    def check_answer(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes | str) -> None:
        """Assert that the document describes this answer: status, headers, content type and every member."""
        response, pointer = self._response(method.lower(), path, status)
        what = f"{method} {path} answered {status}"
        given = {name.lower(): value for name, value in headers.items()}
        for name, header in response.get("headers", {}).items():
            missing = name.lower() not in given
            assert not (missing and self._resolved(header).get("required")), (
                f"{what} without the header {name}, which the document requires: send it or declare it as optional"
            )
        content = response.get("content")
        if content is None:
            assert not body, f"{what} with a body, but the document describes no body: declare the body, or send none"
            return
        content_type = given.get("content-type", "").partition(";")[0]
        assert content_type in content, (
            f"{what} with the content type {content_type!r}, but the document has only {' or '.join(content)}: "
            "declare this content type, or send another one"
        )
        validator = self._answer_validator(f"{pointer}/content/{_escaped(content_type)}/schema")
        _check(validator, json.loads(body), what)

    def check_request(self, method: str, path: str, query: Iterable[str] = (), body: bytes | str | None = None) -> None:
        """Assert that the document allows this request, which the service accepted.

        `query` has the names of the query parameters.
        """
        template, parameters = self._template(path)
        what = f"{method} {path} was accepted"
        assert template is not None, f"{what}, but the document does not have this path: declare the path"
        pointer = f"/paths/{_escaped(template)}/{method.lower()}"
        operation = self._document["paths"][template].get(method.lower())
        assert operation is not None, f"{what}, but the document does not have this method: declare the method"
        described = {(each["in"], each["name"]): index for index, each in enumerate(self._parameters(operation))}
        for name in query:
            assert ("query", name) in described, (
                f"{what}, but the document has no query parameter {name!r}: declare or refuse the parameter"
            )
        for name, value in parameters.items():
            validator = self._request_validator(f"{pointer}/parameters/{described['path', name]}/schema")
            _check(validator, value, f"{what} with the {name} {value!r}")
        if body:
            assert "requestBody" in operation, (
                f"{what} with a body, but the document describes no body: declare or refuse the body"
            )
            validator = self._request_validator(f"{pointer}/requestBody/content/application~1json/schema")
            _check(validator, json.loads(body), what)

    def _find_response(self, method: str, path: str, status: int) -> tuple[Mapping[str, Any], str]:
        """Return the document's response object and its JSON pointer, or raise AssertionError."""
        template, _ = self._template(path)
        operation = self._document["paths"].get(template, {}).get(method)
        unlisted = {404: "x-unlisted-path"} if template is None else {405: "x-unlisted-method"}
        if operation is None and status in unlisted:
            return self._document[unlisted[status]], f"/{unlisted[status]}"
        what = f"{method.upper()} {path} answered {status}"
        assert template is not None, f"{what}, but the document does not have this path: declare the path"
        assert operation is not None, f"{what}, but the document does not have this method: declare the method"
        response = operation["responses"].get(str(status))
        statuses = ", ".join(operation["responses"])
        assert response is not None, f"{what}, but the document has only the statuses {statuses}: declare this status"
        if "$ref" in response:
            return self._resolved(response), response["$ref"].removeprefix("#")
        return response, f"/paths/{_escaped(template)}/{method}/responses/{status}"

    def _template(self, path: str) -> tuple[str | None, dict[str, str]]:
        try:
            template, parameters = self._routes.match(path)
        except NoRoute:
            return None, {}
        return template, {name: unquote(sent) for name, sent in parameters.items()}

    def _parameters(self, operation: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        return map(self._resolved, operation.get("parameters", ()))

    def _resolved(self, described: Mapping[str, Any]) -> Any:
        return self._at(described["$ref"].removeprefix("#")) if "$ref" in described else described

    def _at(self, pointer: str) -> Any:
        found: Any = self._document
        for step in pointer.split("/")[1:]:
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found


def _validators(document: Mapping[str, Any]) -> Any:
    registry = Registry([(DOCUMENT, document)])

    def validator(pointer: str) -> Draft202012Validator:
        address = f"{DOCUMENT}#{quote(pointer, safe='/~')}"
        return Draft202012Validator({"$ref": address}, registry=registry, validate_formats=True)

    return validator


def _closed(schema: Any) -> Any:
    """Return a copy of the schema that refuses members which the schema does not name."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def _check(validator: Draft202012Validator, value: Any, what: str) -> None:
    if not validator.is_valid(value):
        # The deepest fault says most.
        error = max(validator.iter_errors(value), key=lambda each: len(each.instance_path))
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
        raise AssertionError(
            f"{what}, but ${place} does not fit the document: correct the document or the service. {error.message}"
        )


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
