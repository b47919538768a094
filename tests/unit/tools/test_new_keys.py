"""The tags of a new key may take minutes to count. So an apply that makes a key tries again if AWS refuses its use."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.aws import belonging, environment, plan_summary, target
from tools.aws.target import Target
from tools.checkout import ToolError

REFUSED = "Error: creating RDS Cluster: KMSKeyNotAccessibleFault: The specified KMS key does not exist"
TARGET = Target("development", "fix-1", debug=True)


class Terraform:
    """A stand-in for Terraform. `errors` has the errors of each apply in turn; an apply without an error succeeds."""

    def __init__(self, errors: Sequence[str], made: str) -> None:
        self.errors = list(errors)
        self.commands: list[list[str]] = []
        change = {
            "address": f"module.main.{made}.this",
            "mode": "managed",
            "type": made,
            "change": {"actions": ["create"]},
        }
        variables = {"database_source": {"value": "clone"}, "region": {"value": "eu-central-1"}}
        self.plan = {"resource_changes": [change], "variables": variables}

    def __call__(self, arguments: Sequence[str], *_: Any, **__: Any) -> "subprocess.CompletedProcess[str]":
        self.commands.append([*arguments])
        error = self.errors.pop(0) if arguments[0] == "apply" and self.errors else ""
        return subprocess.CompletedProcess(arguments, int(bool(error)), json.dumps(self.plan), error)

    def count(self, command: str) -> int:
        return sum(each[0] == command for each in self.commands)


def applied(monkeypatch: pytest.MonkeyPatch, folder: Path, *errors: str, made: str = "aws_kms_key") -> Terraform:
    """Apply a saved plan that makes a resource of the type `made`."""
    terraform = Terraform(errors, made)
    monkeypatch.setattr(environment, "terraform", terraform)
    monkeypatch.setattr(environment, "KEY_PAUSES_SECONDS", (0, 0))
    monkeypatch.setattr(environment, "PLANS", folder / "plans")
    monkeypatch.setattr(target, "_TARGETS", folder / "targets")
    monkeypatch.setattr(belonging, "foreign", lambda *_: [])
    monkeypatch.setattr(plan_summary, "summary", lambda _: None)
    TARGET.folder.mkdir(parents=True)
    TARGET.plan_as_json.write_text(json.dumps(terraform.plan))

    environment._apply(TARGET)

    return terraform


def test_the_rest_is_planned_and_applied_when_the_tags_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    terraform = applied(monkeypatch, tmp_path, REFUSED, "AccessDeniedException: Access to KMS is not allowed")

    assert (terraform.count("apply"), terraform.count("plan")) == (3, 2)
    [*_, last] = [each for each in terraform.commands if each[0] == "plan"]
    assert last[-1] == "-var=database_source=clone"


@pytest.mark.parametrize(
    ("errors", "made"),
    [((REFUSED,) * 3, "aws_kms_key"), (("Error: a quota is used up",), "aws_kms_key"), ((REFUSED,), "aws_sns_topic")],
    ids=["for too long", "another error", "no new key"],
)
def test_another_error_ends_the_apply(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, errors: tuple[str, ...], made: str
) -> None:
    with pytest.raises(ToolError, match="failed for development-d-fix-1"):
        applied(monkeypatch, tmp_path, *errors, made=made)
