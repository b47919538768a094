"""The time of the dashboard's scripts to show the overview of 500 systems.

The time is compared with that of plain calls of the DOM, which build the same rows. Chromium gets the page and made-up
answers without a server.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.overview.model import SystemOverview
from tools.checkout import ToolError
from tools.checks import chromium
from tools.checks.bench.figures import Figure, fastest
from tools.local import site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SYSTEMS = 500
ENVIRONMENTS = ("development", "integration", "preproduction", "production")
BOUND = 3
ROUNDS = 5

# A browser gives a page on this host the rights of a page with https.
_PAGE = "http://localhost/"
_SIGN_IN = "sessionStorage.setItem('dashboard.token', 'made-up')"
# Keep a description of the rows that the page has built: of each element the tag, the attributes and the children.
_DESCRIBE = """() => {
    const described = (node) => node.nodeType === Node.TEXT_NODE ? node.data :
        [node.localName, node.namespaceURI, [...node.attributes].map(({name, value}) => [name, value]),
            [...node.childNodes].filter((child) => child.nodeType !== Node.COMMENT_NODE).map(described)];
    globalThis.rows = described(document.querySelector("table.matrix tbody"));
}"""
_BUILD = """() => new Promise((done) => setTimeout(() => {
    const built = ([tag, namespace, attributes, children]) => {
        const element = document.createElementNS(namespace, tag);
        for (const [name, value] of attributes) element.setAttribute(name, value);
        for (const child of children) {
            element.appendChild(typeof child === "string" ? document.createTextNode(child) : built(child));
        }
        return element;
    };
    document.body.appendChild(document.createElement("table")).appendChild(built(globalThis.rows));
    done();
}))"""
# The parts of a trace in which scripts run, and those in which the browser lays the page out, also within a script.
_SCRIPT = frozenset({"EvaluateScript", "FunctionCall", "RunMicrotasks", "v8.compileModule", "v8.evaluateModule"})
_LAYOUT = frozenset({"Layout", "PrePaint", "UpdateLayoutTree"})


def figures() -> Iterator[Figure]:
    try:
        yield scripts()
    except ToolError as reason:
        print(f"dashboard: its scripts were not measured. {reason}")


def scripts() -> Figure:
    """Return the time of all scripts from the load of the page to its rows, divided by that of the plain calls."""
    with chromium.launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(_SIGN_IN)
        page.route("**/*", _answered(msgspec.json.encode({"items": systems(), "next": None})))
        page.goto(_PAGE)

        def shown() -> float:
            return _milliseconds(browser, page, lambda: _show(page))

        def built() -> float:
            # A new page, so that neither way finds code that is compiled already.
            _show(page)
            page.evaluate(_DESCRIBE)
            return _milliseconds(browser, page, lambda: page.evaluate(_BUILD))

        page_takes, calls_take = fastest(shown, built, rounds=ROUNDS)
    return Figure(
        f"dashboard: {SYSTEMS} systems, compared with plain DOM",
        page_takes / calls_take,
        "times",
        BOUND,
        f"{page_takes:.0f} ms of scripts, {calls_take:.0f} ms for the same rows",
    )


def systems() -> list[SystemOverview]:
    """Return made-up systems. In some environments a deployment runs, failed, or is blocked."""
    now = datetime.now(UTC).replace(microsecond=0)

    def environment(number: int, rank: int, name: str) -> dict[str, Any]:
        kind = (number + rank) % 8
        state = {1: "in_progress", 2: "failed"}.get(kind)
        artifact = f"tree:{number * 10 + rank + 2**150:040x}"
        since = now - timedelta(hours=number + rank)
        return {
            "name": name,
            "rank": rank,
            "production": rank == len(ENVIRONMENTS),
            "current": {"id": str(number), "artifact": artifact, "since": since, "verified": kind != 3},
            "last_attempt": state and {"id": "1", "artifact": artifact, "state": state, "started_at": now},
            "blocked": {"codes": ["soaking"], "until": now + timedelta(hours=1)} if kind == 4 else None,
            "commits_behind": number if kind > 4 else None,
            "attention": ["failed"] if state == "failed" else [],
        }

    made = [
        {
            "key": f"system-{number:03}",
            "name": f"System {number}",
            "environments": [environment(number, rank, name) for rank, name in enumerate(ENVIRONMENTS, 1)],
        }
        for number in range(SYSTEMS)
    ]
    return msgspec.convert(made, list[SystemOverview])


def _answered(overview: bytes) -> Callable[["Route"], None]:
    """Return a handler that answers each request of the page: with a file, or with a made-up answer of the API."""
    answers = {
        "/v1/configuration": {"version": "1", "stage": "local", "name": "Bench", "sign_in": {"kind": "local"}},
        "/v1/me": {"subject": "bench", "roles": [], "expires_at": datetime.now(UTC) + timedelta(hours=1)},
    }

    def answer(route: "Route") -> None:
        path = urlsplit(route.request.url).path
        if path == "/v1/overview":
            route.fulfill(body=overview, content_type="application/json")
        elif path in answers:
            route.fulfill(body=msgspec.json.encode(answers[path]), content_type="application/json")
        elif (file := site.answer("GET", path, (), None)) is not None:
            route.fulfill(body=file["body"], headers=file["headers"])
        else:
            route.abort()

    return answer


def _show(page: "Page") -> None:
    page.reload()
    page.locator(f"table.matrix tbody tr:nth-child({SYSTEMS})").wait_for(state="attached")


def _milliseconds(browser: "Browser", page: "Page", do: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that scripts take meanwhile, without layout."""
    browser.start_tracing(page=page, categories=["devtools.timeline", "v8.execute"])
    do()
    return script_milliseconds(json.loads(browser.stop_tracing())["traceEvents"])


def script_milliseconds(events: list[dict[str, Any]]) -> float:
    """Add up the outermost events of scripts in a trace, and subtract the outermost events of layout within them."""
    timed = [each for each in events if each["ph"] == "X" and each["name"] in _SCRIPT | _LAYOUT and "tdur" in each]
    microseconds = 0
    script_ends: dict[Any, float] = {}
    layout_ends: dict[Any, float] = {}
    for each in sorted(timed, key=lambda each: (each["ts"], -each["dur"])):
        thread, starts, ends = (each["pid"], each["tid"]), each["ts"], each["ts"] + each["dur"]
        in_script = starts < script_ends.get(thread, 0)
        if each["name"] in _SCRIPT and not in_script:
            script_ends[thread] = ends
            microseconds += each["tdur"]
        elif each["name"] in _LAYOUT and in_script and starts >= layout_ends.get(thread, 0):
            layout_ends[thread] = ends
            microseconds -= each["tdur"]
    return microseconds / 1000
