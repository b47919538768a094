"""The entries of all packages in the tests that walk all resources."""

from importlib import import_module
from pathlib import Path

import app
from tests.support.expected import Expected

SERVICE_TESTS = Path(__file__).parents[1] / "service"


def _in_order() -> list[str]:
    """Return the packages in which app.py registers operations, in the order of app.py."""
    views = (view for methods in app.app.routes.values() for view in methods.values())
    return list(dict.fromkeys(view.view_function.__module__.split(".")[1] for view in views))


def _expected(package: str) -> Expected:
    if not (SERVICE_TESTS / package / f"test_{package}.py").exists():
        return Expected()
    module = import_module(f"tests.service.{package}.test_{package}")
    assert hasattr(module, "EXPECTED"), (
        f"{module.__name__} has no EXPECTED when this module reads it: define EXPECTED there, and import nothing there "
        "that imports tests.support.resources"
    )
    expected: Expected = module.EXPECTED
    return expected


RESOURCES = {package: _expected(package) for package in _in_order()}
PARAMETERS = {"id": "1"} | {name: value for each in RESOURCES.values() for name, value in each.parameters.items()}
