"""CloudFront's viewer function routes clients. tests/support/viewer.py runs it with a stub of CloudFront's module."""

import base64
import json
import re
import time
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.viewer import NJS, NODE, VIEWER, view

ROUTE = {"workspace": "fix-1", "until": 4102444800}
API = {"domain": "abc123.execute-api.eu-central-1.amazonaws.com", "path": "/production"}
pytestmark = pytest.mark.skipif(NJS is NODE is None, reason="node is not on the PATH: install Node.js")


def a_token(subject: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).rstrip(b"=").decode()
    return f"Bearer e30.{payload}.sig"


def routed(client: str, **others: Any) -> dict[str, Any]:
    """Return the store's entries for a client's route to the workspace `fix-1`, and other entries."""
    return {f"client/{client}": ROUTE, "workspace/fix-1": API, **others}


def test_a_named_client_goes_to_its_workspace() -> None:
    workspace, origins = view(routed("shop"), {"x-client": "shop"})

    assert workspace == "fix-1"
    assert [(each["domainName"], each["originPath"]) for each in origins] == [(API["domain"], "/production")]


def test_a_workspace_does_not_get_the_secret_header_of_its_environment() -> None:
    """CloudFront sends the environment's header unless the new origin has headers of its own, or `{}`."""
    _, [origin] = view(routed("shop"), {"x-client": "shop"})

    assert origin["customHeaders"] == {}


@pytest.mark.parametrize("subject", ["ann", "auth0|ann+doe@example.org"])
def test_without_a_header_the_subject_is_the_client(subject: str) -> None:
    assert view(routed(subject), {"authorization": a_token(subject)})[0] == "fix-1"


def test_further_blanks_before_the_token_do_not_matter() -> None:
    # The authorizer ignores them too.
    token = a_token("ann").replace(" ", "  ")

    assert view(routed("ann"), {"authorization": f"{token} "})[0] == "fix-1"


def test_the_header_wins_over_the_subject() -> None:
    headers = {"x-client": "shop", "authorization": a_token("ann")}

    assert view(routed("ann"), headers) == ("default", [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-client": "another"},
        {"x-client": "sh op"},
        {"authorization": "Bearer nonsense"},
        {"x-workspace": "fix-1"},
    ],
)
def test_other_clients_are_not_routed(headers: dict[str, str]) -> None:
    assert view({**routed("shop"), **routed("sh op"), "shop": ROUTE}, headers) == ("default", [])


def test_files_are_not_routed() -> None:
    assert view(routed("shop"), {"x-client": "shop"}, uri="/index.html") == ("default", [])


@pytest.mark.parametrize(
    "route",
    [
        {**ROUTE, "until": time.time() - 60},
        {**ROUTE, "workspace": "fix-2"},
        {**ROUTE, "workspace": "Fix 1"},
        {**ROUTE, "workspace": ["fix-1"]},
        {"until": ROUTE["until"]},
        {**ROUTE, "workspace": "fix-2", **API},
        None,
        "{",
    ],
)
def test_a_route_that_ended_or_leads_to_no_known_workspace_is_ignored(route: Any) -> None:
    assert view(routed("shop", **{"client/shop": route}), {"x-client": "shop"}) == ("default", [])


@pytest.mark.parametrize("workspace", ["default", ["default"]])
def test_no_route_leads_to_another_origin_under_the_environments_name(workspace: Any) -> None:
    entries = {"client/shop": {**ROUTE, "workspace": workspace}, "workspace/default": API}

    assert view(entries, {"x-client": "shop"}) == ("default", [])


@pytest.mark.parametrize(
    "address",
    [
        {**API, "domain": "evil.example.com"},
        {**API, "domain": "abc.execute-api.eu-central-1.amazonaws.com.example.com"},
        {**API, "domain": [API["domain"]]},
        {**API, "path": "/../x"},
        {"path": API["path"]},
        None,
        "{",
    ],
)
def test_an_address_that_is_no_api_is_ignored(address: Any) -> None:
    assert view(routed("shop", **{"workspace/fix-1": address}), {"x-client": "shop"}) == ("default", [])


@pytest.mark.parametrize(
    ("name", "file", "copy"),
    [
        ("CLIENT", "tools/aws/workspace.py", '_CLIENT = re.compile(r"{}")'),
        ("WORKSPACE", "infra/modules/infrastructure-main/variables.tf", 'regex("^(default|[wd]-{})$", var.workspace)'),
    ],
)
def test_the_tools_and_terraform_have_the_same_patterns(name: str, file: str, copy: str) -> None:
    [pattern] = re.findall(rf"^const {name} = /\^(.+)\$/;$", VIEWER.read_text(), re.MULTILINE)

    assert copy.format(pattern) in (ROOT / file).read_text()


def test_no_await_is_in_the_arguments_of_a_call_or_in_a_literal() -> None:
    """CloudFront accepts such a function, and then answers 503: https://github.com/nginx/njs/issues/419."""
    code = re.sub(r"//.*", "", VIEWER.read_text())

    # Only these places are known to work: an assignment, and a statement of its own.
    places = re.findall(r"^.*\bawait\b", code, re.MULTILINE)
    assert places
    assert [place for place in places if not re.fullmatch(r"\s*(const \w+ = )?await", place)] == []
