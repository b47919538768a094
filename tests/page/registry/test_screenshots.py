"""`make screenshots` takes each page. CI keeps the pictures that this test takes."""

import pytest

from tests.support.checkout import ROOT
from tests.support.page import sh
from tools.checks import chromium
from tools.checks.registry import screenshots

PAGES = {"sign-in", "overview", "system", "artifact", "deployment", "changes", *screenshots.PAGES}
PICTURES = ROOT / ".local" / "screenshots"


@pytest.mark.slow
@pytest.mark.skipif(chromium.missing() is not None, reason=f"the dashboard: {chromium.missing()}")
def test_each_page_is_taken_wide_and_narrow_light_and_dark() -> None:
    for old in PICTURES.glob("*.png"):
        old.unlink()

    sh("make screenshots", seconds=300)

    variants = ("wide-light", "wide-dark", "narrow-light")
    assert {path.stem for path in PICTURES.glob("*.png")} == {f"{page}-{each}" for page in PAGES for each in variants}
