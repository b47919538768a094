"""The stand-in for API Gateway makes complete events, and decodes only what API Gateway decodes."""

import json
from typing import Any

import pytest

from tools.local.gateway_event import Event, NoRoute, Routes, gateway_event

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


@pytest.mark.parametrize("path", ["", "*", "/v1", "/v2/systems", "/V1/systems", "/v1//all", "/v1/systems//x"])
def test_a_path_without_a_route_has_no_event(path: str) -> None:
    with pytest.raises(NoRoute):
        an_event(path)


@pytest.mark.parametrize("sent", ["%61zul", "a%2Fb", "%2525", "%FF", "a+b", "é"])
def test_path_parameters_are_not_decoded(sent: str) -> None:
    event = an_event(f"/v1/systems/{sent}")

    assert event["pathParameters"] == {"system": sent}
    assert event["path"] == f"/v1/systems/{sent}"


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


def test_headers_keep_the_case_of_names_and_all_values() -> None:
    event = an_event(headers=[("If-Match", "1"), ("X-Many", "a"), ("X-Many", "b"), ("user-agent", "curl")])

    assert event["headers"] == {"If-Match": "1", "X-Many": "b", "user-agent": "curl"}
    assert event["multiValueHeaders"]["X-Many"] == ["a", "b"]
    assert event["requestContext"]["identity"]["userAgent"] == "curl"


@pytest.mark.parametrize(
    ("body", "text", "is_base64"),
    [(b"{}", "{}", False), ("{}", "{}", False), ("é".encode(), "é", False), (b"\xff", "/w==", True)],
)
def test_a_body_is_text_if_possible(body: bytes | str, text: str, *, is_base64: bool) -> None:
    event = an_event(body=body)

    assert (event["body"], event["isBase64Encoded"]) == (text, is_base64)


def test_the_context_describes_the_request_and_its_caller() -> None:
    event = an_event("/v1/systems/azul?limit=1", claims={"sub": "jane"}, request_id="request-1", stage="production")

    context = event["requestContext"]
    assert event["resource"] == context["resourcePath"] == "/v1/systems/{system}"
    assert event["httpMethod"] == context["httpMethod"] == "GET"
    assert (context["requestId"], context["stage"]) == ("request-1", "production")
    assert context["path"] == "/production/v1/systems/azul"
    assert context["authorizer"] == {"claims": '{"sub": "jane"}', "principalId": "jane"}
    assert "authorizer" not in an_event()["requestContext"]


def test_an_event_is_json() -> None:
    event = an_event("/v1/systems/é", headers=[("A", "b")], body=b"\xff", claims={"sub": "jane"})

    assert json.loads(json.dumps(event)) == event
