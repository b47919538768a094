"""Each client says who asks, with a version. Firewalls, also our own, refuse requests without a User-Agent."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import NAME, __version__
from chalicelib.identity.fetching import fetch_json
from tests.pipeline.stub import Stub
from tools.checkout import ROOT, USER_AGENT
from tools.local.acceptance.service import Service
from tools.local.acceptance.settings import AcceptanceSettings
from tools.pipeline.github import Repository
from tools.slipway_client.client import RegistryClient, token

_CLIENTS = re.compile(r"\b(?:HTTPS?Connection|urlopen|Session|urllib\.request\.Request)\(")


def ask_github(url: str) -> None:
    Repository({"GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": url, "GH_TOKEN": "t"}).pull_request(1)


@pytest.mark.parametrize(
    ("ask", "agent"),
    [
        (
            lambda url: RegistryClient({"SLIPWAY_SYSTEM": "a", "SLIPWAY_URL": url, "SLIPWAY_TOKEN": "t"}).get(""),
            "tools",
        ),
        (lambda url: token({"ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}?a"}), "tools"),
        (ask_github, "tools"),
        (lambda url: Service(AcceptanceSettings(url, "t")).get("/v1/me"), "tools"),
        (lambda url: fetch_json(url, 5), ""),
    ],
    ids=["client", "oidc-token", "newest", "acceptance", "keys of an issuer"],
)
def test_a_request_says_who_asks(stub: Stub, ask: Callable[[str], Any], agent: str) -> None:
    stub.answers = [(200, {}, {"Content-Type": "application/json"})]

    ask(stub.url)

    names = {headers["User-Agent"] for _, headers in stub.asked}
    assert names == {f"{NAME}-{agent}/{__version__}" if agent else f"{NAME}/{__version__}"}


def test_every_tool_with_a_client_of_its_own_says_who_asks() -> None:
    texts = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "tools").rglob("*.py")}
    own = [path for path, text in texts.items() if _CLIENTS.search(text)]

    assert own
    assert [path for path in own if "USER_AGENT" not in texts[path]] == []
    assert USER_AGENT.endswith(f"/{__version__}")
