"""`make screenshots`: take a picture of each page of the dashboard, on a service of its own with the demo's systems.

Each page is taken on a wide screen, light and dark, and on a narrow one. FOLDER is where the pictures go. PICTURES=1
also writes the pictures of the README.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.checkout import LOCAL_STATE, ROOT, ToolError
from tools.checks import chromium
from tools.checks.own_service import own_service
from tools.local.issuer import token
from tools.local.registry.demo import NAMES, fill
from tools.local.registry.replay import Client

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = ROOT / "docs" / "pictures"
MOST_PICTURE_BYTES = 200_000
LOG = LOCAL_STATE / "screenshots.log"

# The name of a variant, its colours and its screen.
VARIANTS: tuple[tuple[str, Literal["light", "dark"], int, int], ...] = (
    ("wide-light", "light", 1440, 900),
    ("wide-dark", "dark", 1440, 900),
    ("narrow-light", "light", 360, 800),
)
# The demo rolled production of this system back, requires an approval there, and made workspaces.
SYSTEM = "loyalty"
# The pages that have a fixed address.
PAGES = {
    "workspaces": "#/workspaces",
    "holds": "#/holds",
    "metrics": "#/metrics",
    "metrics-of-a-system": f"#/metrics?system={SYSTEM}",
    "dependencies": "#/dependencies",
    "audit": "#/audit",
}


def main(environ: Mapping[str, str]) -> None:
    """Take the pictures, or raise ToolError if a page shows an error."""
    folder = ROOT / environ["FOLDER"]
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with chromium.launched() as browser, own_service(LOG) as url:
        fill(Client(url, token("admin")).send, Client(url, token("maintainer", NAMES, "ann@local")).send)
        page = browser.new_page(base_url=url, reduced_motion="reduce")
        for name in _opened(page):
            for variant, scheme, width, height in VARIANTS:
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=folder / f"{name}-{variant}.png")
    if environ["PICTURES"] == "1":
        for scheme in ("light", "dark"):
            _compress(folder / f"overview-wide-{scheme}.png", PICTURES / f"overview-{scheme}.png")
    print(f"{len([*folder.glob('*.png')])} pictures in {environ['FOLDER']}, after {time.monotonic() - started:.0f} s")


def _opened(page: "Page") -> Iterator[str]:
    """Open each page of the dashboard in turn, and yield its name. Links lead to the pages whose address has an id."""
    page.goto("/")
    page.get_by_role("button", name="admin").wait_for()
    yield "sign-in"
    page.get_by_role("button", name="admin").click()
    page.get_by_role("table").first.wait_for()
    page.mouse.move(0, 0)  # off the rows, which show the pointer
    yield "overview"
    _open(page, f"#/systems/{SYSTEM}")
    yield "system"
    production = page.get_by_role("region", name="production", exact=True)
    found = {
        name: production.locator(f'a[href*="{part}"]').first.get_attribute("href") or ""
        for name, part in (("artifact", "/artifacts/"), ("deployment", "/deployments/"), ("changes", "/changes"))
    }
    for name, fragment in {**found, **PAGES}.items():
        _open(page, fragment)
        yield name


def _open(page: "Page", fragment: str) -> None:
    page.goto("about:blank")  # so that the whole page is loaded again
    page.goto(f"/{fragment}")
    page.locator("main h1").wait_for(state="attached")
    if page.locator("main .message").count():
        raise ToolError(f"The page {fragment} shows an error: {page.locator('main').inner_text()}. Read {LOG}")


def _compress(source: Path, target: Path) -> None:
    """Write a picture with 256 colours, which takes a third of the bytes. Raise ToolError if it is still large."""
    from PIL import Image  # noqa: PLC0415 (only the pictures of the README need it)

    target.parent.mkdir(exist_ok=True)
    with Image.open(source) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)
    if (size := target.stat().st_size) > MOST_PICTURE_BYTES:
        raise ToolError(f"{target} has {size} bytes, more than {MOST_PICTURE_BYTES}: use fewer colours")
