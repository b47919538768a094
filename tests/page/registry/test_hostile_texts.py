"""The longest and the most hostile texts that the API takes are text on every page, and break no layout."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.bindings.records import a_binding
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.api import Api
from tests.support.given import given_with_all_factories

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Markup, a mark that turns the direction of what follows, Hebrew, emoji, a joined emoji, accents on accents and tabs.
HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(1)</script>\u202egnp.exe \u05e9\u05dc\u05d5\u05dd \U0001f680"
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301\u0301\u0301\t&lt;b&gt; "
)
COMMIT = {"sha": a_revision(), "authored_at": "2026-01-01T00:00:00Z", "subject": ""}
WIDTHS = (360, 1440)
PAGES = (
    "#/",
    "#/?attention=1",
    "#/systems/azul",
    f"#/systems/azul/artifacts/{an_artifact('new')}",
    "#/systems/azul/deployments/{deployment}",
    "#/systems/azul/environments/production/changes",
    "#/workspaces",
    "#/workspaces?system=azul",
    "#/holds",
    "#/holds?system=azul",
    "#/metrics?system=azul",
    "#/dependencies",
    "#/audit",
)


def hostile(length: int) -> str:
    """Return a text of this length in characters that breaks nowhere after its beginning."""
    return (HOSTILE + "x" * length)[: length - 1] + "!"


def a_url(length: int) -> str:
    return f"https://example.org/{'x' * length}"[:length]


@pytest.fixture
def deployment(api: Api, database_url: str) -> str:
    """A system whose every text is hostile and as long as the API allows. The fixture returns a failed deployment."""
    given: Any = given_with_all_factories(api.as_("admin", sub=hostile(1000)), database_url)
    commits = [{**COMMIT, "subject": hostile(200)}]
    given.a_system(name=hostile(100), description=hostile(2000), repository=a_url(2000))
    for name in ("development", "production"):
        given.an_environment(name, production=name == "production", base_url=a_url(2000), required_approvals=1)
    given.a_deployment(
        an_artifact("new"), revision=a_revision(), commits=commits, run_url=a_url(2000), override_reason=hostile(500)
    )
    given.a_verification(run_url=a_url(2000))
    given.an_approval(an_artifact("new"), "production", comment=hostile(2000))
    given.a_freeze(reason=hostile(500))
    given.a_freeze_over_systems(reason=hostile(500))
    given.a_pin(reason=hostile(500), artifact=an_artifact("new"))
    given.a_bad_mark(an_artifact("new"), reason=hostile(500))
    workspace = given.a_workspace("w" * 16, owner=hostile(500), reason=hostile(500), base_url=a_url(2000))
    given.a_route(workspace["id"], client="c" * 128)
    for name in ("development", "production"):
        given.bindings(a_binding(a_url(500), dependency="d" * 39), environment=name)
    failed = given.a_deployment(an_artifact("old"), environment="production", state="in_progress", commits=commits)
    given.a_status(failed["id"], "failed", detail=hostile(2000))
    return str(failed["id"])


@pytest.mark.slow
def test_every_page_shows_them_as_text(deployment: str, page: "Page", open_as: Callable[..., "Page"]) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a text became a script: {dialog.message}"))

    wide, marked, seen = [], [], 0
    for fragment in (each.format(deployment=deployment) for each in PAGES):
        open_as("admin", fragment)
        assert page.locator("main .message").count() == 0, fragment
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide += [(fragment, width)] * page.evaluate("Number(document.documentElement.scrollWidth > innerWidth)")
        marked += [fragment] * page.locator("#app :is(img, script, b)").count()
        seen += page.locator("main").inner_text().count("<img src=x onerror=alert(1)>")

    assert (wide, marked) == ([], [])
    assert seen > len(PAGES)
    assert open_as("admin", "#/systems/azul").locator("h1").inner_text() == " ".join(hostile(100).split())


def test_long_names_break_no_lane(given: Any, page: "Page", open_as: Callable[..., "Page"]) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    given.a_system()
    given.an_environment("e" * 39)
    given.a_deployment(environment="e" * 39)
    given.a_verification(environment="e" * 39, suite="s" * 64)

    open_as("viewer", "#/systems/azul")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
