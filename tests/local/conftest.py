import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.support import acceptance as acceptance_tests
from tests.support.api import application
from tests.support.caller import Caller
from tests.support.checkout import Checkout, Run
from tests.support.contract import Contract
from tools.local.server import serving


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A new checkout. After the test, delete the checkout's database, which lies outside the checkout."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    checkout = Checkout(folder, databases=Path(os.environ["SLIPWAY_TEST_RUN"]) / "local")
    yield checkout
    reset = checkout.call("local", "database-reset")
    assert reset.returncode == 0, reset.stderr


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    """The URL of the service in this process."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.fixture
def acceptance(tmp_path: Path) -> Callable[..., acceptance_tests.Ended]:
    """`acceptance(URL=…)` runs the command of `make acceptance URL=…`."""

    def acceptance(**words: str) -> acceptance_tests.Ended:
        return acceptance_tests.run(tmp_path / "report.json", **words)

    return acceptance


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Checkout]]:
    """The service, started with `make run`."""
    folder = tmp_path_factory.mktemp("scenario") / "checkout"
    folder.mkdir()
    checkout = Checkout(folder, folder.parent / "state")
    with checkout.run() as run:
        yield run, checkout
    checkout.call("local", "database-reset")


@pytest.fixture
def as_(running: tuple[Run, Checkout], contract: Contract) -> Iterator[Callable[..., Caller]]:
    """`as_("pipeline", SYSTEM="shop")` is a caller of the running service with this role."""
    with ExitStack() as callers:

        def caller(role: str, **claims: str) -> Caller:
            return callers.enter_context(closing(Caller(*running, contract, ROLE=role, **claims)))

        yield caller
