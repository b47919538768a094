"""`make demo` fills the running service with systems in every state that the overview shows, once."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.checkout import Checkout, Run
from tests.support.page import sh
from tools.local.registry.demo import NAMES

BLOCKERS = {"soaking", "not-approved", "frozen", "pinned", "marked-bad"}


@pytest.mark.slow
def test_it_records_every_kind_of_trouble_and_a_second_run_adds_nothing(
    running: tuple[Run, Checkout], as_: Callable[..., Caller]
) -> None:
    run, checkout = running
    environ = {**checkout.environment, "URL": run.url, "TOKEN": run.token}
    # The tour of the README and the commands of the empty page make this system.
    assert as_("admin")("POST", "/v1/systems", {"key": "shop", "name": "Shop"})[0] == 201

    assert "40 systems recorded" in sh("make demo", environ=environ)

    viewer = as_("viewer")
    first = overview(viewer)
    environments = [environment for system in first for environment in system["environments"]]
    assert {each["key"] for each in first} == {*NAMES, "shop"}
    assert {name for each in environments for name in each.get("attention", ())} >= {"failed", "blocked", "unverified"}
    assert {code for each in environments for code in each.get("blocked", {}).get("codes", ())} >= BLOCKERS
    assert sum(each.get("workspaces", 0) for each in environments) > 20
    assert "0 systems recorded" in sh("make demo", environ=environ)
    assert len(overview(viewer)) == len(first)


def overview(viewer: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        _, page = viewer("GET", f"/v1/overview?limit=100{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"
