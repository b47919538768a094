"""The API serves its OpenAPI document."""

import json

from tests.support.api import Api
from tests.support.expected import Expected
from tools.checks.openapi.file import PATH

EXPECTED = Expected(
    roles={
        "GET /v1/openapi.json": "public",
    },
)


def test_anyone_may_read_the_document(api: Api) -> None:
    answer = api.as_(None).get("/v1/openapi.json")

    assert answer.status == 200
    assert answer.json == json.loads(PATH.read_text())


def test_the_document_may_be_cached_and_is_not_sent_again_unchanged(api: Api) -> None:
    first = api.get("/v1/openapi.json")
    second = api.get("/v1/openapi.json", if_none_match=first.headers["ETag"])

    assert first.headers["Cache-Control"].startswith("public, max-age=")
    assert second.status == 304


def test_the_document_takes_no_query_parameters(api: Api) -> None:
    assert api.get("/v1/openapi.json?version=2").problem == "invalid"
