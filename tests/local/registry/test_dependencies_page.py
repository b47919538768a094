"""Run the requests of docs/dependencies.md."""

import json
import os

from tests.support.api import Api
from tests.support.given import Given
from tests.support.page import script, sh
from tools.local.issuer import token


def test_the_registry_is_asked_for_crosstalk(url: str, api: Api, given: Given) -> None:
    given.a_system("shop")
    given.an_environment("production", system="shop")
    environ = {"PATH": os.environ["PATH"], "URL": url, "TOKEN": token("maintainer", ["shop"])}

    said = sh(script("dependencies.md", "Ask the registry"), environ=environ)

    assert said.startswith('{"system":"shop","environment":"production","bindings":[{"dependency":"payments"')
    assert said.count(json.dumps({"items": [], "next": None}, separators=(",", ":"))) == 2
    assert api.get("/v1/systems/shop/environments/production/bindings")["bindings"] == []
