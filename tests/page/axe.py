"""Faults of accessibility that axe finds on a page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def faults(page: "Page") -> list[tuple[str, list[str]]]:
    """Return the rules that the page breaks, each with the elements that break it."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (so that the other tests run without it)

    found = Axe().run(page, options=_RULES).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def assert_accessible(page: "Page") -> None:
    """Fail if axe finds a fault in either scheme, on a wide or a narrow screen, or if the page is wider than it."""
    # Colours do not depend on the width.
    for scheme, width in (("light", 1440), ("dark", 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = faults(page)
        assert found == [], (scheme, width, found)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
