"""The function answers even unusual events that API Gateway may send."""

import base64
import json

import pytest

from tests.support.writes import POSTS, WRITES, everything

AZUL = {"key": "azul", "name": "Azul"}
PATH = "/v1/systems/azul"


def in_base64(raw):
    return {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}


def test_a_body_may_come_in_base64(api):
    # API Gateway sends a body in base64 if the body's media type is declared as binary.
    answer = api.send("POST", "/v1/systems", AZUL, event=in_base64(json.dumps({**AZUL, "name": "Größe"}).encode()))

    assert (answer.status, answer["name"]) == (201, "Größe")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (in_base64(b""), 400),
        (in_base64(b"\xff"), 400),
        (in_base64(b'{"key": "azul"} '.ljust(1024 * 1024 + 1)), 413),
        ({"body": "é", "isBase64Encoded": True}, 400),
        ({"body": "e30", "isBase64Encoded": True}, 400),
        ({"body": "{}", "isBase64Encoded": True}, 400),
        ({"body": '{"name": "\ud800"}'}, 400),
        ({"body": None}, 400),
        ({"body": ""}, 400),
    ],
    ids=[
        "an empty body in Base64",
        "a byte that is not UTF-8",
        "a body above 1 MiB",
        "a character outside of ASCII",
        "Base64 without padding",
        "a body that is not Base64",
        "half a surrogate pair",
        "no body",
        "an empty body",
    ],
)
def test_an_unreadable_body_is_refused(api, event, status):
    assert api.send("POST", "/v1/systems", AZUL, event=event).status == status


@pytest.mark.parametrize("route", WRITES)
def test_all_headers_may_be_missing(api, given, route):
    # The test page of API Gateway's console sends null instead of headers.
    write = WRITES[route](given)
    before = everything(given)
    method = route.partition(" ")[0]

    for headers in (None, {}, {"content-type": None, "if-match": None, "idempotency-key": None}):
        answer = api.send(method, write.path, write.body, event={"headers": headers, "multiValueHeaders": None})

        assert answer.status == (428 if method == "DELETE" else 415)
    assert everything(given) == before


def test_a_read_needs_no_headers(api, given):
    given.a_system()

    for headers in (None, {}, {"if-none-match": None}):
        assert api.send("GET", PATH, event={"headers": headers})["key"] == "azul"


@pytest.mark.parametrize("route", POSTS)
def test_a_header_that_is_null_counts_as_missing(api, given, route):
    write = WRITES[route](given)

    answer = api.send(
        "POST", write.path, write.body, event={"headers": {"Content-Type": "application/json", "Idempotency-Key": None}}
    )

    assert answer.status < 300


def test_header_names_ignore_case(api, given):
    given.a_system()
    tag = api.get(PATH).headers["ETag"]

    answer = api.send("DELETE", PATH, event={"headers": {"IF-MATCH": tag}})

    assert answer.status == 204


@pytest.mark.parametrize("body", [b"", b"\xff", "{", "text", "[" * 100_000])
def test_reads_and_deletions_ignore_a_body(api, given, body):
    given.a_system()

    assert api.send("GET", PATH, event={"body": body})["key"] == "azul"
    assert api.send("DELETE", PATH, headers={"if_match": "*"}, event={"body": body}).status == 204


def test_messages_of_postgresql_are_not_shown(api, monkeypatch):
    # PostgreSQL's messages quote values of the statement, which can be secret.
    monkeypatch.setattr("chalicelib.systems.store.list_", lambda db, **_: db.value("SELECT 'secret'::bigint"))

    answer = api.get("/v1/systems")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert "SELECT" not in answer.body
    assert "secret" not in answer.body


def test_unreadable_claims_make_no_principal(api):
    # A token may contain half a surrogate pair, which is valid in JSON but not in UTF-8.
    for claims in (r'{"sub": "\ud800"}', "{", "[]", "null"):
        authorizer = {"claims": claims, "principalId": "somebody"}
        event = {"requestContext": {"httpMethod": "GET", "resourcePath": "/v1/systems", "authorizer": authorizer}}

        answer = api.send("GET", "/v1/systems", event=event)

        assert (answer.status, answer.problem) == (403, "forbidden"), claims
