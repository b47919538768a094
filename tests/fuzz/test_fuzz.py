"""Every run sends the service the same few made-up requests. `make fuzz` sends many random requests."""

import pytest

from tools.checks.fuzz_run import fuzz

EXAMPLES = 5


@pytest.mark.parametrize("phases", [pytest.param("coverage", marks=pytest.mark.slow), "examples,fuzzing,stateful"])
def test_fuzzing_finds_no_fault(url: str, phases: str) -> None:
    options = ("--phases", phases, "--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color")
    # With only a few examples in one phase, an operation might never succeed.
    assert fuzz(url, *options, "--exclude-checks", "every_operation_succeeds", timeout=300) == 0
