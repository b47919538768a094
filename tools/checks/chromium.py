"""Find the browser that the dashboard's tests run in. Debian's package `chromium` has it."""

import importlib.util
import shutil

_COMMANDS = ("chromium", "chromium-browser", "google-chrome")


def path() -> str | None:
    """Return the path of Chromium, or None if this machine has none."""
    return next((found for command in _COMMANDS if (found := shutil.which(command))), None)


def missing() -> str | None:
    """Return None, or the reason why this machine can't run the dashboard's tests."""
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright is not installed: run `make venv`"
    if path() is None:
        return "chromium is not on the PATH: install it, on Debian with `apt-get install chromium`"
    return None
