"""The endpoint that serves the OpenAPI description of this API."""

import os
from functools import cache
from typing import Any

import msgspec
from chalice.app import Blueprint

from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation

blueprint = Blueprint(__name__)

_MAX_AGE_SECONDS = 300


@operation(blueprint, "GET /v1/openapi.json", role="public")
def get_openapi(call: Call) -> dict[str, Any]:
    """Read the OpenAPI 3.1 document of this API."""
    call.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    return _document()


@cache
def _document() -> dict[str, Any]:
    # `make openapi` writes the file. The first request for the document reads the file, and other requests never wait
    # for the file.
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/openapi.json", "rb") as file:
        document: dict[str, Any] = msgspec.json.decode(file.read())
    return document
