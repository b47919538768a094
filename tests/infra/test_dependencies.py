"""`make dependencies` reads the files of infra/ as Terraform does, and finds two environments that share a queue."""

import re
from pathlib import Path

import pytest

from tools.aws.terraform import missing
from tools.checkout import ToolError
from tools.checks import dependencies
from tools.checks.policy import plans

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

QUEUE = '"arn:aws:sqs:${var.region}:123456789012:orders"'


def declare(copies: Path, environment: str, declared: str) -> None:
    """Declare a dependency in an environment's main.tf, in a copy of infra/."""
    main = plans.copied(copies, environment, environment) / "main.tf"
    text, count = re.subn(r"(?<=^  dependencies = \{\n)", f"    {declared}\n", main.read_text(), flags=re.MULTILINE)
    assert count == 1
    main.write_text(text)


@pytest.mark.slow
def test_two_environments_with_one_queue_are_found_from_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One environment names the region by a variable, and the other one in full.
    declare(tmp_path, "development", f'orders = {{ instance = {QUEUE}, access = "read_only", exclusive = true }}')
    declare(
        tmp_path,
        "production",
        'queue = { instance = "arn:aws:sqs:eu-central-1:123456789012:orders", access = "read_write" }',
    )

    found = {each: dependencies.declared(tmp_path, each) for each in ("development", "production")}

    with pytest.raises(ToolError, match=r"development \(orders, read_only\) and production \(queue, read_write\)"):
        dependencies.report(found, {})
    assert "identity" in capsys.readouterr().out
