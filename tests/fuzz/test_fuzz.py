"""The running service, asked with made-up requests: few, and the same each time. `make fuzz` asks many, at random."""

import pytest

from tools.checks.fuzz import fuzz

EXAMPLES = 5


@pytest.mark.parametrize("phases", ["coverage", "examples,fuzzing,stateful"])
def test_nothing_is_found(url: str, phases: str) -> None:
    options = ("--phases", phases, "--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color")
    # So few examples in one phase need not make everything succeed.
    assert fuzz(url, *options, "--exclude-checks", "every_operation_succeeds", timeout=300) == 0
