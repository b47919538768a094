"""The stand-in for API Gateway makes complete events, and decodes only what API Gateway decodes."""

import json
from typing import Any

import pytest

from tools.local.gateway_event import (
    MOST_CHARACTERS,
    MOST_HEADER_BYTES,
    Event,
    NoRoute,
    Routes,
    TooLong,
    UnreadableQuery,
    gateway_event,
)

ROUTES = Routes(["/", "/v1/{kind}/all", "/v1/systems", "/v1/systems/{system}", "/v1/systems/shop", "/v1/{kind}/{id}/x"])


def an_event(target: str = "/v1/systems", **request: Any) -> Event:
    return gateway_event(ROUTES, "GET", target, **request)


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/", "/", {}),
        ("/v1/systems/", "/v1/systems", {}),
        ("/v1/systems/shop", "/v1/systems/shop", {}),
        ("/v1/systems/all", "/v1/systems/{system}", {"system": "all"}),
        ("/v1/ships/all", "/v1/{kind}/all", {"kind": "ships"}),
        ("/v1/a;b/..%2F/x", "/v1/{kind}/{id}/x", {"kind": "a;b", "id": "..%2F"}),
    ],
)
def test_literal_segments_win_over_parameters(path: str, template: str, parameters: dict[str, str]) -> None:
    assert ROUTES.match(path) == (template, parameters)


@pytest.mark.parametrize(
    "path", ["", "*", "/v1", "/v2/systems", "/V1/systems", "/v1//all", "/v1/systems//x", "/v1/systems//"]
)
def test_a_path_without_a_route_has_no_event(path: str) -> None:
    with pytest.raises(NoRoute):
        an_event(path)


@pytest.mark.parametrize("sent", ["%61zul", "a%2Fb", "%2525", "%FF", "a+b", "é"])
def test_path_parameters_are_not_decoded(sent: str) -> None:
    event = an_event(f"/v1/systems/{sent}")

    assert event["pathParameters"] == {"system": sent}
    assert event["path"] == f"/v1/systems/{sent}"


@pytest.mark.parametrize("sent", ["/v1/systems/a", "//v1/systems/a", "///v1/systems/a", "/v1/systems/a/"])
def test_slashes_at_the_start_and_the_end_do_not_matter(sent: str) -> None:
    event = an_event(sent)

    assert (event["resource"], event["pathParameters"]) == ("/v1/systems/{system}", {"system": "a"})
    assert event["path"] == "/" + sent.lstrip("/")
    assert event["requestContext"]["path"] == f"/local{sent}"


@pytest.mark.parametrize("query", ["a=1|2", "filter{a}=1", "a=}"])
def test_a_character_that_api_gateway_refuses_makes_no_event(query: str) -> None:
    with pytest.raises(UnreadableQuery):
        an_event(f"/v1/systems?{query}")


def test_a_query_is_read_as_events_recorded_on_aws_show() -> None:
    event = an_event("/v1/systems?at=18:05+00:00&email=a%2Bb@c.org&plus=a+b@c.org&url=https://c.org/&a;b=2%7C&a=1")

    assert event["multiValueQueryStringParameters"] == {
        "at": ["18:05 00:00"],
        "email": ["a+b@c.org"],
        "plus": ["a b@c.org"],
        "url": ["https://c.org/"],
        "a": ["", "1"],
        "b": ["2|"],
    }


def test_query_parameters_are_decoded_and_the_last_single_value_wins() -> None:
    event = an_event("/v1/systems?limit=1&a+b=%2F&limit=%32&empty=")

    assert event["multiValueQueryStringParameters"] == {"limit": ["1", "2"], "a b": ["/"], "empty": [""]}
    assert event["queryStringParameters"] == {"limit": "2", "a b": "/", "empty": ""}


def test_missing_parts_are_null() -> None:
    event = an_event("/v1/systems?", body=b"")

    nothing = {name for name, value in event.items() if value is None}
    assert nothing == {
        "body",
        "pathParameters",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "stageVariables",
    }


def test_headers_keep_all_values_and_mostly_the_case_of_names() -> None:
    sent = {"If-Match": "1", "tEsT": "x", "user-agent": "curl", "aUThorization": "Bearer a", "Connection": "close"}
    event = an_event(headers=[*sent.items(), ("X-Many", "a"), ("X-Many", "b"), ("content-length", "2")])

    kept = {"If-Match": "1", "tEsT": "x", "User-Agent": "curl", "Authorization": "Bearer a"}
    assert event["headers"] == {**kept, "X-Many": "b"}
    assert event["multiValueHeaders"] == {**{name: [value] for name, value in kept.items()}, "X-Many": ["a", "b"]}
    assert event["requestContext"]["identity"]["userAgent"] == "curl"


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"{}", "{}"), ("{}", "{}"), ("é".encode(), "é"), (b"\xff", "\ufffd"), (b"\x1f\x8b", "\x1f\ufffd")],
)
def test_a_body_is_text(body: bytes | str, text: str) -> None:
    event = an_event(body=body)

    assert (event["body"], event["isBase64Encoded"]) == (text, False)


def test_the_context_describes_the_request_and_its_caller() -> None:
    event = an_event("/v1/systems/azul?limit=1", claims={"sub": "jane"}, request_id="request-1", stage="production")

    context = event["requestContext"]
    assert event["resource"] == context["resourcePath"] == "/v1/systems/{system}"
    assert event["httpMethod"] == context["httpMethod"] == "GET"
    assert (context["requestId"], context["stage"]) == ("request-1", "production")
    assert context["path"] == "/production/v1/systems/azul"
    assert context["authorizer"] == {"claims": '{"sub": "jane"}', "principalId": "jane"}
    assert "authorizer" not in an_event()["requestContext"]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (f"/v1/systems/{'a' * MOST_CHARACTERS}", []),
        ("/v1/systems", [("Authorization", "a" * MOST_HEADER_BYTES), ("Accept", "é")]),
    ],
)
def test_a_request_that_is_longer_than_api_gateway_takes_makes_no_event(
    target: str, headers: list[tuple[str, str]]
) -> None:
    with pytest.raises(TooLong):
        an_event(target, headers=headers)


def test_an_event_is_json() -> None:
    event = an_event("/v1/systems/é", headers=[("A", "b")], body=b"\xff", claims={"sub": "jane"})

    assert json.loads(json.dumps(event)) == event
