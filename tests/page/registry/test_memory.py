"""A page that stays open for hours does not grow."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.deployments.records import an_artifact

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page, Route

POLL_MS = 10_500
# Compiled code grows for the first hundred refreshes. Then an answer that stays, or its rows, would take much more.
MOST_HEAP_GROWTH = 250_000


def counted(devtools: "CDPSession") -> dict[str, float]:
    """Return the bytes of the heap, the nodes and the listeners that are left after a garbage collection."""
    for _ in range(3):
        devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    counters = devtools.send("Memory.getDOMCounters")
    return {"heap": heap, "nodes": counters["nodes"], "listeners": counters["jsEventListeners"]}


@pytest.mark.parametrize(("warm_up", "refreshes"), [(10, 20), pytest.param(150, 500, marks=pytest.mark.nightly)])
def test_refreshes_leave_nothing_behind(
    warm_up: int, refreshes: int, given: Any, page: "Page", open_as: Callable[..., "Page"]
) -> None:
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="preproduction")
    given.a_freeze("production")
    answered = 0

    def another_answer(route: "Route") -> None:
        """Answer with another name of the system each time, so that each refresh draws something."""
        nonlocal answered
        answered += 1
        overview = route.fetch().json()
        overview["items"][0]["name"] = f"Azul {answered}"
        route.fulfill(body=json.dumps(overview), headers={"ETag": f'"{answered}"'})

    page.route("**/v1/overview*", another_answer)
    page.clock.install()
    open_as("viewer")
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.enable")

    def refresh(times: int) -> None:
        for _ in range(times):
            name = f"Azul {answered + 1}"
            page.clock.fast_forward(POLL_MS)
            page.get_by_title(name, exact=True).wait_for()

    refresh(warm_up)
    before = counted(devtools)
    refresh(refreshes)
    after = counted(devtools)

    assert answered == 1 + warm_up + refreshes
    assert after["nodes"] <= before["nodes"]
    assert after["listeners"] <= before["listeners"]
    assert after["heap"] - before["heap"] <= MOST_HEAP_GROWTH
