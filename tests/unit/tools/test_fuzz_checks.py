"""Fuzzing accepts only explained refusals. Too many explanations would hide faults."""

import re
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

import app  # noqa: F401  (declares the operations)
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import PROBLEM_TYPES
from tools.checkout import ToolError
from tools.checks import fuzz_run
from tools.checks.fuzz import Fuzz, often, packages
from tools.checks.fuzz_checks import PROBLEMS, RULES, every_operation_succeeds, missing_entries
from tools.checks.fuzz_run import configuration

NAMES = [each.name for each in OPERATIONS if each.function.__module__.startswith("chalicelib.")]


def refused(*pointers: str) -> dict[str, object]:
    return {"type": "/problems/invalid", "errors": [{"pointer": pointer, "detail": ""} for pointer in pointers]}


def rule(operation: str, place: str) -> str:
    return f'rules={{("{operation}", "{place}"): "why"}}'


def test_a_refusal_by_a_rule_is_explained() -> None:
    assert missing_entries("create_publisher", refused("#/issuer", "#/environments/shop")) == []
    assert missing_entries("list_audit_events", refused("#/from")) == []


def test_a_refusal_by_no_rule_is_not_explained() -> None:
    assert missing_entries("create_publisher", refused("#/issuer", "#/ref")) == [rule("create_publisher", "#/ref")]
    assert missing_entries("create_publisher", refused("#/environments")) == [
        rule("create_publisher", "#/environments")
    ]
    assert missing_entries("create_system", refused("#/issuer")) == [rule("create_system", "#/issuer")]


def test_a_refusal_without_a_place_is_not_explained() -> None:
    assert missing_entries("create_publisher", {"type": "/problems/invalid"}) == [rule("create_publisher", "#")]


@pytest.mark.parametrize(
    ("slug", "missing"), [("cursor-unusable", []), ("malformed", ['problems={"malformed": "why"}'])]
)
def test_some_problems_are_always_explained(slug: str, missing: list[str]) -> None:
    assert missing_entries("list_systems", {"type": f"/problems/{slug}"}) == missing


def test_explanations_name_existing_problems_and_operations_only() -> None:
    assert PROBLEMS.keys() <= PROBLEM_TYPES.keys()
    for pattern, _ in RULES:
        assert any(re.fullmatch(pattern, name) for name in NAMES), f"no operation is called {pattern}: correct RULES"


@pytest.mark.parametrize(("package", "found"), packages().items(), ids=packages())
def test_a_module_has_the_name_of_a_package_and_its_entries_name_existing_operations(package: str, found: Fuzz) -> None:
    assert find_spec(f"chalicelib.{package}"), f"call tools/checks/fuzz/{package}.py like a package of chalicelib"
    assert {*found.only, *found.survivors} <= set(NAMES)
    assert all(find_spec(f"chalicelib.{name}") for name in found.after), f"correct `after`: {found.after}"


def test_a_package_comes_after_those_whose_records_it_needs() -> None:
    order = list(packages())

    for name, found in packages().items():
        assert all(order.index(earlier) < order.index(name) for earlier in found.after if earlier in order)


def test_two_values_for_one_parameter_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_run, "every", lambda: [Fuzz(values={"path.ship": often("a")})] * 2)

    with pytest.raises(ToolError, match=r"path\.ship"):
        configuration()


def test_an_operation_that_never_succeeds_fails_the_run_with_the_entries_to_add() -> None:
    check = every_operation_succeeds()
    for label, status in (("GET /v1/ships", 200), ("GET /v1/ships/{ship}", 404), ("GET /v1/ships/{ship}", 422)):
        raw = {"tags": ["space-ships"]}
        operation = SimpleNamespace(label=label, definition=SimpleNamespace(raw=raw))
        check.after_response(None, SimpleNamespace(status_code=status), SimpleNamespace(operation=operation))

    with pytest.raises(AssertionError) as failure:
        check.after_run(None)

    [needs] = str(failure.value).splitlines()[1:]
    assert needs.startswith("GET /v1/ships/{ship}: FUZZ in tools/checks/fuzz/space_ships.py needs `records`")
    assert needs.endswith('`values` that name them for "path.ship"')
