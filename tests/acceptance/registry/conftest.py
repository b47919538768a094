"""Fixtures of the acceptance tests that deploy."""

import pytest

from tools.checkout import ToolError
from tools.local.acceptance.report import run_of
from tools.local.acceptance.service import Service, Wait
from tools.local.registry.idle import IDLE_SECONDS, wait_until_idle


@pytest.fixture(scope="module")
def idle(request: pytest.FixtureRequest, service: Service, system: str) -> None:
    """Wait until no other run deploys in the system. End the run if another run takes too long."""
    run = run_of(request.config)
    if run is None:
        return  # only this test uses a service in this process

    def say(line: str) -> None:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            writer = request.config.get_terminal_writer()
            writer.line(f"\n{line}")
            writer.flush()

    try:
        wait_until_idle(service, Wait(IDLE_SECONDS, say))
    except ToolError as busy:
        run.stop(str(busy))
