"""Fixtures that run commands of a pipeline with the real service."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.api import application
from tests.support.given import Given
from tools.local.issuer import token
from tools.local.server import serving


@pytest.fixture
def service(stage: None) -> Iterator[str]:
    """The URL of the running service."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.fixture
def step(service: str, given: Given, a_step: Callable[..., Any]) -> Any:
    """A step of a pipeline of the system azul, which has development, preproduction and production."""
    given.the_usual()
    return a_step(
        SLIPWAY_URL=service,
        SLIPWAY_TOKEN=token("pipeline", ["azul"]),
        GITHUB_SHA=a_revision(),
        ARTIFACT=an_artifact(),
    )
