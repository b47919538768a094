"""`make dependencies` finds crosstalk between environments, from the files alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.checkout import ENVIRONMENTS, ToolError
from tools.checks import dependencies
from tools.checks.dependencies import bindings_of, crosstalk, environments
from tools.checks.policy import plans

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"


def a_binding(instance: str = QUEUE, access: str = "read_write", *, exclusive: bool = False) -> dict[str, Any]:
    return {"instance": instance, "access": access, "exclusive": exclusive}


def two(one: dict[str, Any], other: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"development": {"orders": one}, "production": {"queue": other}, "preproduction": {}}


def test_two_environments_with_one_queue_of_which_one_writes_are_crosstalk(capsys: pytest.CaptureFixture[str]) -> None:
    found = two(a_binding(access="read_only"), a_binding())

    dependencies.report(found, {})

    said = capsys.readouterr().out
    assert f"Crosstalk: development (orders, read_only) and production (queue, read_write) use {QUEUE}" in said
    assert [each.refused for each in crosstalk(found)] == [False]


@pytest.mark.parametrize("exclusive", [(True, False), (False, True), (True, True)])
def test_crosstalk_of_an_exclusive_binding_is_refused(exclusive: tuple[bool, bool]) -> None:
    found = two(a_binding(access="read_only", exclusive=exclusive[0]), a_binding(exclusive=exclusive[1]))

    with pytest.raises(ToolError, match=r"refused(.|\n)*development \(orders, read_only\) and production"):
        dependencies.report(found, {})


def test_the_bindings_of_an_environment_to_one_instance_count_together() -> None:
    both = {"claim": a_binding(access="read_only", exclusive=True), "writer": a_binding()}
    found = {"development": {"orders": a_binding(access="read_only")}, "production": both}

    with pytest.raises(ToolError, match=r"production \(claim, read_only; writer, read_write\)"):
        dependencies.report(found, {})


def test_every_folder_with_an_environment_is_checked(tmp_path: Path) -> None:
    for name in (*reversed(ENVIRONMENTS), "staging", "account"):
        (tmp_path / name).mkdir()
        module = "somewhere" if name == "account" else "../modules/infrastructure-main"
        (tmp_path / name / "main.tf").write_text(f'module "main" {{ source = "{module}" }}')

    assert environments(tmp_path) == [*ENVIRONMENTS, "staging"]


def test_an_environment_without_the_file_that_plans_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "copied", lambda *_: tmp_path)

    with pytest.raises(ToolError, match=r"infra/staging has no tests/environment\.tftest\.hcl"):
        dependencies.declared(tmp_path, "staging")


@pytest.mark.parametrize(
    "found",
    [
        two(a_binding(access="read_only", exclusive=True), a_binding(access="read_only", exclusive=True)),
        two(a_binding(exclusive=True), a_binding(f"{QUEUE}-2", exclusive=True)),
        {"development": {"orders": a_binding(exclusive=True), "returns": a_binding()}},
        {"development": {}},
    ],
)
def test_readers_other_instances_and_one_environment_are_no_crosstalk(found: dict[str, Any]) -> None:
    assert list(crosstalk(found)) == []


@pytest.mark.parametrize(
    "plan",
    [
        {},
        [],
        {"output_changes": {}},
        {"output_changes": {"dependencies": None}},
        {"output_changes": {"dependencies": {"after": {"orders": {"access": "read_only"}}}}},
        {"output_changes": {"dependencies": {"after": {"orders": "arn"}}}},
    ],
)
def test_an_instance_that_is_known_only_after_an_apply_is_an_error(plan: Any) -> None:
    with pytest.raises(ToolError, match="known before an apply"):
        bindings_of(plan, "infra/development")


def test_the_command_reads_all_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def declared(copies: Path, environment: str) -> dict[str, Any]:
        read.append(environment)
        return {"orders": a_binding(exclusive=True)}

    monkeypatch.setattr(dependencies, "declared", declared)

    with pytest.raises(ToolError) as refused:
        dependencies.main({})

    assert sorted(read) == sorted(ENVIRONMENTS)
    assert str(refused.value).count(json.dumps(QUEUE)[1:-1]) == 3
