"""The dashboard in Chromium, against the real service on a database of its own."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from chalice.config import Config

from chalicelib import NAME
from chalicelib.identity import tokens
from tests.support.api import application
from tools.checks import chromium
from tools.local import issuer
from tools.local.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MissingHere = pytest.mark.skipif(chromium.missing() is not None, reason=f"the dashboard: {chromium.missing()}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(MissingHere)


@pytest.fixture
def token(stage: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """`token("viewer")` is a token of the local issuer, with a key of the test. `seconds` says how long it is valid."""
    monkeypatch.setattr(issuer, "PRIVATE_KEY", tmp_path / "issuer" / "private.jwk.json")
    monkeypatch.setattr(issuer, "PUBLIC_KEY", tmp_path / "issuer" / "public.jwk.json")
    monkeypatch.setattr(tokens, "LOCAL_PUBLIC_KEY", str(issuer.PUBLIC_KEY))
    issuer.private_key()
    tokens._local_key.cache_clear()

    def signed(role: str, seconds: int = 3600) -> str:
        systems = ["azul"] if role in ("pipeline", "maintainer") else []
        return issuer.token(role, systems, lifetime=timedelta(seconds=seconds))

    yield signed
    tokens._local_key.cache_clear()


@pytest.fixture
def page_url(token: Callable[..., str]) -> Iterator[str]:
    """The URL of the local server, which serves the dashboard and the API."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def expected_errors() -> list[str]:
    """Texts of console errors that the test causes on purpose."""
    return []


@pytest.fixture
def elsewhere() -> set[str]:
    """Hosts besides the dashboard's own that the test lets the page ask."""
    return set()


@pytest.fixture
def context(browser: "Browser", page_url: str) -> Iterator["BrowserContext"]:
    context = browser.new_context(base_url=page_url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: "BrowserContext", page_url: str, expected_errors: list[str], elsewhere: set[str]) -> Iterator["Page"]:
    """A page of the browser. The test fails if it logs an error, violates the policy or asks another host."""
    found: list[str] = []
    own = urlsplit(page_url).netloc
    page = context.new_page()
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "request",
        lambda request: found.append(request.url) if urlsplit(request.url).netloc not in {own, *elsewhere} else None,
    )
    yield page
    assert [text for text in found if not any(known in text for known in expected_errors)] == []


@pytest.fixture
def open_as(page: "Page", token: Callable[..., str]) -> Callable[..., "Page"]:
    """`open_as("admin", "#/audit")` opens a page of the dashboard as a caller with this role."""

    def opened(role: str, fragment: str = "#/", **claims: int) -> "Page":
        # The script runs before the page's own, once for a session: a later sign-out must stay.
        session = json.dumps(token(role, **claims))
        page.add_init_script(
            f"""if (location.protocol === "http:" && sessionStorage.getItem("session") !== {session}) {{
                sessionStorage.setItem("session", {session});
                sessionStorage.setItem("dashboard.token", {session});
            }}"""
        )
        page.goto("about:blank")
        page.goto(f"/{fragment}")
        page.locator("main h1").wait_for(state="attached")
        return page

    return opened
