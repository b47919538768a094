"""The API serves its own description."""

import json

from devtools import openapi
from tests.support.api import Api


def test_anybody_reads_the_document_that_is_committed(api: Api) -> None:
    answer = api.as_(None).get("/v1/openapi.json")

    assert answer.status == 200
    assert answer.json == json.loads(openapi.PATH.read_text()), "openapi.json is stale: run `make openapi`"


def test_the_document_may_be_kept_and_is_not_sent_again(api: Api) -> None:
    first = api.get("/v1/openapi.json")
    second = api.get("/v1/openapi.json", if_none_match=first.headers["ETag"])

    assert first.headers["Cache-Control"].startswith("public, max-age=")
    assert second.status == 304


def test_the_document_has_no_query_parameters(api: Api) -> None:
    assert api.get("/v1/openapi.json?version=2").problem == "invalid"
