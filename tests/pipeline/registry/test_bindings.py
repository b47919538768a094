"""A pipeline asks whether an environment's bindings are accepted, and records them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.pipeline.conftest import Step
from tests.support.given import Given
from tools.checkout import UsageError
from tools.pipeline import records
from tools.slipway_client import commands

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"
EXCLUSIVE = json.dumps({"orders": {"instance": QUEUE, "access": "read_write", "exclusive": True}})
SHARED = json.dumps({"orders": {"instance": QUEUE, "access": "read_write"}})
RECORDED = (
    "SELECT e.name, b.instance, b.access, b.exclusive FROM bindings b JOIN environments e ON e.id = environment_id"
)


def test_a_dry_run_asks_and_records_nothing(step: Any, given: Given) -> None:
    code = step("bindings", BINDINGS=EXCLUSIVE, DRY_RUN="1")

    assert (code, given.sql(RECORDED)) == (0, [])
    assert "1 bindings of development: would be accepted" in step.said


def test_two_environments_with_one_queue_are_found_before_the_deployment(step: Any, given: Given) -> None:
    step("bindings", BINDINGS=SHARED)

    warned = step("bindings", BINDINGS=SHARED, ENV="preproduction", DRY_RUN="1"), step.said
    refused = step("bindings", BINDINGS=EXCLUSIVE, ENV="preproduction", DRY_RUN="1"), step.said

    assert warned[0] == 0
    assert f"Crosstalk: {QUEUE} is used by development of azul (read_write), preproduction of azul" in warned[1]
    assert refused[0] == 1
    assert "crosstalk-refused" in refused[1]
    assert "development of azul uses the same instance" in refused[1]
    assert given.sql(RECORDED) == [("development", QUEUE, "read_write", False)]


@pytest.mark.parametrize(
    "bindings",
    ["", "[]", "{", '{"orders": {}}', '{"orders": "arn"}', "null", f"{SHARED[:-1]}, {SHARED[1:]}"],
    ids=["empty", "a list", "no JSON", "nothing of a binding", "a text", "null", "a key twice"],
)
def test_bindings_in_another_form_are_a_usage_error(step: Any, bindings: str) -> None:
    assert step("bindings", BINDINGS=bindings) == 2


def test_a_misspelled_field_is_refused(step: Any, given: Given) -> None:
    code = step("bindings", BINDINGS=EXCLUSIVE.replace("exclusive", "exlusive"))

    assert (code, given.sql(RECORDED)) == (1, [])
    assert "unknown field `exlusive`" in step.said


def test_the_pipeline_records_the_bindings_of_its_saved_plan(
    step: Any, given: Given, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "PLANS", tmp_path)
    plan = {"output_changes": {"dependencies": {"after": json.loads(EXCLUSIVE)}}}
    (tmp_path / "development.json").write_text(json.dumps(plan))

    records.bindings({**step.variables, "DRY_RUN": ""})

    assert given.sql(RECORDED) == [("development", QUEUE, "read_write", True)]
    with pytest.raises(UsageError, match="make plan"):
        records.bindings({**step.variables, "ENV": "production"})


def test_another_pipeline_records_its_own_bindings(step: Any, given: Given) -> None:
    commands.bindings({**step.variables, "BINDINGS": SHARED})

    assert given.sql(RECORDED) == [("development", QUEUE, "read_write", False)]


def test_without_a_registry_nothing_is_recorded(a_step: Callable[..., Step]) -> None:
    step = a_step()

    assert step("bindings", BINDINGS=EXCLUSIVE) == 0
    assert "bindings was skipped" in step.said
