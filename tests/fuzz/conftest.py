from collections.abc import Iterator

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.support.api import application
from tools.checks.fuzz_run import fill
from tools.local.server import serving


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    """The URL of a running service that already has some data."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        fill(url)
        yield url
