"""Find and start the browser of the dashboard's tests.

Debian has it in the packages `chromium` and `chromium-headless-shell`. The second one has no window, and needs half the
processor time.
"""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.checkout import ToolError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-quic", "--disable-background-networking")


def path() -> str | None:
    """Return the path of Chromium, or None if this machine has none."""
    return next((found for command in _COMMANDS if (found := shutil.which(command))), None)


def missing() -> str | None:
    """Return None, or the reason why this machine can't run the dashboard's tests."""
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright is not installed: run `make venv`"
    if path() is None:
        return "chromium is not on the PATH: install it, on Debian with `apt-get install chromium-headless-shell`"
    return None


@contextmanager
def launched() -> Iterator["Browser"]:
    """Run Chromium until the end of the block. Raise ToolError if it is missing."""
    if reason := missing():
        raise ToolError(f"There is no browser: {reason}")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (the import takes half a second)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=ARGUMENTS)
        yield browser
        browser.close()
