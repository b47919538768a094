"""Fixtures of the acceptance tests. Without `make acceptance`, the tests call a service in this process."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.support.api import application
from tests.support.contract import Contract
from tests.support.stage import local_stage
from tools.local import issuer
from tools.local.acceptance import system as system_of_tests
from tools.local.acceptance.report import run_of
from tools.local.acceptance.service import DOCUMENT, Answer, Service
from tools.local.acceptance.settings import AcceptanceSettings
from tools.local.server import serving


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of CDN headers if the service runs in this process, without a CDN."""
    if run_of(config) is None:
        items[:] = [item for item in items if "behind_the_cdn" not in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="module")
def settings(request: pytest.FixtureRequest) -> Iterator[AcceptanceSettings]:
    run = run_of(request.config)
    if run is not None:
        yield run.settings
        return
    clones = request.getfixturevalue("clones")
    address = clones.new()
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with local_stage(address), serving(application.app, config) as url:
        yield AcceptanceSettings(url, issuer.token("admin"), issuer.token)
    clones.drop(address)


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, settings: AcceptanceSettings) -> Iterator[Service]:
    """A client with the caller's token. It checks answers below /v1, except to HEAD, against the OpenAPI document."""
    run, contract = run_of(request.config), Contract(DOCUMENT)

    def inspect(answer: Answer) -> None:
        if answer.method != "HEAD" and answer.path.startswith("/v1"):
            path = answer.path.partition("?")[0]
            contract.check_answer(answer.method, path, answer.status, answer.headers, answer.body)

    with Service(settings, run.latencies if run else None, inspect) as service:
        yield service


@pytest.fixture
def behind_the_cdn(settings: AcceptanceSettings) -> None:
    if not settings.site:
        pytest.skip("SITE=1 is not set: set SITE=1 if URL is the address of a CDN")


@pytest.fixture(scope="module")
def may(service: Service) -> Callable[..., bool]:
    """`may("maintainer", "shop")` is True if the token has the role maintainer or a higher role in the system shop.

    Without a system, the token must have the role for all systems.
    """
    return partial(system_of_tests.may, system_of_tests.roles(service))


@pytest.fixture(scope="module")
def system(service: Service) -> str:
    """The path of the acceptance tests' system, which has at least two environments. The tests write to this system."""
    if service.settings.read_only:
        pytest.skip("READ_ONLY=1 skips tests that write: run the tests without READ_ONLY=1")
    return system_of_tests.prepare(service)


@pytest.fixture
def own_system(service: Service, may: Callable[..., bool]) -> Iterator[str]:
    """An unused key for a system. The fixture deletes the system after the test, so the test must record no history."""
    if service.settings.read_only:
        pytest.skip("READ_ONLY=1 skips tests that write: run the tests without READ_ONLY=1")
    if not may("admin"):
        pytest.skip("only an admin may create and delete a system: set TOKEN to an admin's token")
    key = f"acceptance-{secrets.token_hex(6)}"
    yield key
    left = service.get(f"/v1/systems/{key}").expect(200, 404)
    if left.status == 200:
        service.ask("DELETE", f"/v1/systems/{key}", headers={"If-Match": left.headers["ETag"]}).expect(204)
