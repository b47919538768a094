"""The local server checks tokens with the real authorizer and the keys that an issuer publishes."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.config import Config

from chalicelib.identity.authorizer import authorizer
from chalicelib.identity.authorizer import blueprint as identity
from tests.support.issuer import IssuerServer, serving
from tools.local.server import serving as serving_app


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[IssuerServer]:
    """The issuer that the stage `local` trusts."""
    with serving() as issuer:
        monkeypatch.setenv("SLIPWAY_STAGE", "local")
        monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps([issuer.settings("github-actions")]))
        yield issuer


@pytest.fixture
def port() -> Iterator[int]:
    """The port of an application whose only endpoint returns the caller's claims."""
    app = Chalice(app_name="tried")
    app.register_blueprint(identity)

    @app.route("/claims", authorizer=authorizer)
    def claims() -> Any:
        return json.loads(app.current_request.context["authorizer"]["claims"])

    config = Config(chalice_stage="local", config_from_disk={"app_name": "tried"}, default_params={})
    with serving_app(app, config) as url:
        yield int(url.rpartition(":")[2])


def ask(port: int, token: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/claims", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_a_token_of_the_issuer_is_accepted(issuer: IssuerServer, port: int) -> None:
    status, claims = ask(port, issuer.github_token(repository="acme/shop", run_id="4711"))

    assert status == 200
    assert (claims["repository"], claims["run_id"]) == ("acme/shop", "4711")


def test_all_refusals_look_alike(issuer: IssuerServer, port: int) -> None:
    token = issuer.github_token()
    expired = issuer.github_token(iat=1, nbf=1, exp=2)
    for_another = issuer.github_token(audience="another")
    unknown_key = issuer.github_token(header={"kid": "unknown"})

    answers = [ask(port, each) for each in (expired, for_another, unknown_key, f"{token}x", "none", "")]

    assert {status for status, _ in answers} == {401}
    assert len({json.dumps({**problem, "instance": None}) for _, problem in answers}) == 1


def test_a_token_is_accepted_while_its_issuer_is_unreachable(issuer: IssuerServer, port: int) -> None:
    assert ask(port, issuer.github_token())[0] == 200

    issuer.behaves("down", "")

    assert ask(port, issuer.github_token())[0] == 200
