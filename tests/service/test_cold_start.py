"""The function of the API loads no time zones, and no crypto library: only the authorizer verifies tokens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api import ROUTES, Api
from tools.local.gateway_event import gateway_event

ROOT = Path(__file__).parents[2]

ANSWER = """
import json, sys, app
answers = [app.app(event, None)["statusCode"] for event in json.load(sys.stdin)]
print(json.dumps([answers, [*sys.modules]]))
"""


@pytest.fixture
def answered(api: Api) -> tuple[list[int], list[str]]:
    """The statuses of a write and a read in a new process, and the modules that the process has loaded."""
    body = json.dumps({"key": "azul", "name": "Azul"})
    events = [
        gateway_event(
            ROUTES, "POST", "/v1/systems", {"content-type": "application/json"}.items(), body, claims=api.claims
        ),
        gateway_event(ROUTES, "GET", "/v1/systems/azul", claims=api.claims),
    ]
    printed = subprocess.check_output(
        [sys.executable, "-c", ANSWER], cwd=ROOT, input=json.dumps(events), text=True, timeout=60
    )
    statuses, modules = json.loads(printed.splitlines()[-1])
    return statuses, modules


def test_the_function_of_the_api_answers_without_a_crypto_library_or_time_zones(
    answered: tuple[list[int], list[str]],
) -> None:
    statuses, modules = answered

    assert statuses == [201, 200]
    assert not {name.partition(".")[0] for name in modules} & {"jwt", "cryptography"}
    assert "zoneinfo" not in modules
    assert not {f"chalicelib.identity.{name}" for name in ("keys", "published_keys", "fetching")} & {*modules}
