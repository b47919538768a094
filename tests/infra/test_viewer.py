"""CloudFront's viewer function routes clients. Node runs the function with a stub of CloudFront's runtime."""

import base64
import json
import re
import time
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.viewer import NODE, VIEWER, view

ROUTE = {
    "workspace": "fix-1",
    "domain": "abc123.execute-api.eu-central-1.amazonaws.com",
    "path": "/production",
    "until": 4102444800,
}
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on the PATH: install Node.js")


def a_token(subject: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).rstrip(b"=").decode()
    return f"Bearer e30.{payload}.sig"


def test_a_named_client_goes_to_its_workspace() -> None:
    workspace, origins = view({"shop": ROUTE}, {"x-client": "shop"})

    assert workspace == "fix-1"
    assert origins == [{"domainName": ROUTE["domain"], "originPath": "/production"}]


def test_without_a_header_the_subject_is_the_client() -> None:
    assert view({"ann": ROUTE}, {"authorization": a_token("ann")})[0] == "fix-1"


def test_the_header_wins_over_the_subject() -> None:
    headers = {"x-client": "shop", "authorization": a_token("ann")}

    assert view({"ann": ROUTE}, headers) == ("default", [])


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
    assert view({"shop": ROUTE, "sh op": ROUTE}, headers) == ("default", [])


def test_files_are_not_routed() -> None:
    assert view({"shop": ROUTE}, {"x-client": "shop"}, uri="/index.html") == ("default", [])


@pytest.mark.parametrize(
    "fault",
    [
        {"until": time.time() - 60},
        {"domain": "evil.example.com"},
        {"domain": "abc.execute-api.eu-central-1.amazonaws.com.example.com"},
        {"path": "/../x"},
        {"workspace": "Fix 1"},
    ],
)
def test_a_route_that_ended_or_leads_elsewhere_is_ignored(fault: dict[str, Any]) -> None:
    assert view({"shop": {**ROUTE, **fault}}, {"x-client": "shop"}) == ("default", [])


def test_a_route_that_is_no_json_is_ignored() -> None:
    assert view({"shop": "{"}, {"x-client": "shop"}) == ("default", [])


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
