"""The description of this API, served by the API that it describes."""

from functools import cache
from typing import Any

from chalice.app import Blueprint

from chalicelib.rest.call import Call
from chalicelib.rest.operation import OPERATIONS, operation

blueprint = Blueprint(__name__)

_MAX_AGE_SECONDS = 300


@operation(blueprint, "GET /v1/openapi.json", role="public")
def get_openapi(call: Call) -> dict[str, Any]:
    """The OpenAPI 3.1 document of this API."""
    call.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    return _document()


@cache
def _document() -> dict[str, Any]:
    # No other request should wait for this import.
    from chalicelib.rest.openapi import document  # noqa: PLC0415

    return document(OPERATIONS)
