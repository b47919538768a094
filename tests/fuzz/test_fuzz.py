"""The running service, asked with made-up requests: few, and the same ones each time. `make fuzz` asks many, at random."""

from collections.abc import Iterator

import pytest
from chalice.config import Config

from devtools.fuzz import fuzz, serving
from tests.support.api import application

EXAMPLES = 5


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    """The service, on a database of this test's own."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": "slipway"}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.mark.parametrize("phases", ["coverage", "examples,fuzzing", "stateful"])
def test_nothing_is_found(url: str, phases: str) -> None:
    options = ("--phases", phases, "--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color")
    # So few examples in one phase need not make everything succeed.
    assert fuzz(url, *options, "--exclude-checks", "every_operation_succeeds", timeout=300) == 0
