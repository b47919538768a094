"""A page that stays open for hours does not grow."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.deployments.records import an_artifact
from tools.checks import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page, Route

POLL_MS = 10_500
WARM_UP = 10
MOST_BYTES_A_REFRESH = 100


@pytest.fixture(scope="module")
def browser(browser: "Browser") -> Iterator["Browser"]:
    """A browser that compiles no script. The code that V8 compiles lies on the heap, and grows for many refreshes."""
    arguments = [*chromium.ARGUMENTS, "--js-flags=--jitless"]
    interpreting = browser.browser_type.launch(executable_path=chromium.path(), args=arguments)
    yield interpreting
    interpreting.close()


def counted(devtools: "CDPSession") -> dict[str, float]:
    """Return the bytes of the heap, the nodes and the listeners that are left after a garbage collection."""
    for _ in range(3):
        devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    counters = devtools.send("Memory.getDOMCounters")
    return {"heap": heap, "nodes": counters["nodes"], "listeners": counters["jsEventListeners"]}


@pytest.mark.parametrize(
    "refreshes", [pytest.param(20, marks=pytest.mark.slow), pytest.param(500, marks=pytest.mark.nightly)]
)
def test_refreshes_leave_nothing_behind(
    refreshes: int, given: Any, page: "Page", open_as: Callable[..., "Page"]
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

    refresh(WARM_UP)
    before = counted(devtools)
    refresh(refreshes)
    after = counted(devtools)

    assert answered == 1 + WARM_UP + refreshes
    assert after["nodes"] <= before["nodes"]
    assert after["listeners"] <= before["listeners"]
    assert after["heap"] - before["heap"] <= MOST_BYTES_A_REFRESH * refreshes
