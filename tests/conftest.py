"""Fixtures for all tests. pytest-socket, configured in pyproject.toml, keeps tests from calling other machines."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import settings
from chalicelib.telemetry import logs
from tests.support import postgres
from tests.support.api import Api
from tests.support.contract import Contract
from tests.support.given import Given, given_with_all_factories
from tests.support.stage import ISSUERS, local_stage
from tools import lifeline
from tools.local import emulation

LONGEST_FIRST = ("tests/rehearsal/", "tests/emulator/test_first_deployment.py", "tests/infra/")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SLIPWAY_")) and name != postgres.RUN_FOLDER]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    if not hasattr(config, "workerinput"):
        # A shell script makes background jobs ignore Ctrl-C. Processes that the tests start would ignore Ctrl-C too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # When `make` ends, even by a kill, the tests end too. The processes that the tests started end with the tests.
        lifeline.end_with_make()
        run = ExitStack()
        config.add_cleanup(run.close)
        folder = str(run.enter_context(postgres.run_folder()))
        os.environ |= {postgres.RUN_FOLDER: folder, lifeline.MARK: folder}
    logs.sink = _print_failure


def _print_failure(line: str) -> None:
    """Print a line of the service's log, but not those of the many requests that succeed."""
    if not line.startswith('{"level":"INFO"'):
        sys.stdout.write(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Each worker runs whole files. Start with the longest files, so that no long file starts last.
    items.sort(key=lambda item: [not item.nodeid.startswith(path) for path in LONGEST_FIRST])


@pytest.fixture(scope="session")
def clones(worker_id: str) -> Iterator[postgres.Clones]:
    """Make databases on the PostgreSQL server of this test run."""
    clones = postgres.Clones(postgres.address_of(Path(os.environ[postgres.RUN_FOLDER])), worker_id)
    yield clones
    clones.close()


@pytest.fixture
def database_url(clones: postgres.Clones) -> Iterator[str]:
    """The address of a migrated, empty database for one test, with the service's login."""
    with clones.lent() as address:
        yield address


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The lines of the service's log, parsed."""
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(logs, "sink", lambda line: lines.append(json.loads(line)))
    return lines


@pytest.fixture
def stage(database_url: str) -> Iterator[None]:
    """Run the test in the stage `local`, on the test's own database."""
    with local_stage(database_url):
        yield


@pytest.fixture(scope="session")
def emulated_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file to which the emulated account adds a line for each call."""
    return tmp_path_factory.mktemp("emulated") / "calls"


@pytest.fixture(scope="session")
def emulated(emulated_calls: Path) -> Iterator[dict[str, str]]:
    """The variables that send AWS calls to an emulated account. All tests of a worker share the account."""
    from tools.aws.emulator.account import emulated_account  # noqa: PLC0415

    with emulated_account(emulated_calls) as port:
        yield emulation.environment({}, port)


@pytest.fixture
def emulated_port(emulated: dict[str, str]) -> int:
    return int(emulated["AWS_ENDPOINT_URL"].rpartition(":")[2])


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The OpenAPI document that every answer is checked against."""
    from chalicelib.rest.operation import OPERATIONS  # noqa: PLC0415
    from tools.checks.openapi.document import document  # noqa: PLC0415

    return Contract(document(OPERATIONS))


@pytest.fixture
def api(stage: None, contract: Contract) -> Api:
    """A client of the API. It calls as an admin; `api.as_(role)` calls as another role."""
    return Api(contract).as_("admin")


@pytest.fixture
def given(api: Api, database_url: str) -> Given:
    """The maker of the records that a test starts with: `given.an_environment("development")`."""
    return given_with_all_factories(api, database_url)


@pytest.fixture
def rate(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """`rate(3)` lets each caller write three times in an hour."""

    def set_rate(writes: int) -> None:
        monkeypatch.setenv("SLIPWAY_WRITES_PER_HOUR", str(writes))
        settings.cache_clear()

    yield set_rate
    settings.cache_clear()


@pytest.fixture
def sample(api: Api, given: Given) -> Api:
    """A client of a service whose only resource is `voyages`: see tests/support/sample.py."""
    from tests.support.sample import sample_api  # noqa: PLC0415

    return sample_api(api, given)


@pytest.fixture
def trusting(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`trusting("local")` makes the stage trust only issuers of this kind.

    `another` is the URL of one more issuer of tokens for GitHub Actions.
    """

    def trust(*kinds: str, another: str | None = None) -> None:
        issuers = [issuer for issuer in ISSUERS if issuer["kind"] in kinds]
        if another is not None:
            issuers += [{**issuer, "issuer": another} for issuer in ISSUERS if issuer["kind"] == "github-actions"]
        monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps(issuers))
        settings.cache_clear()

    yield trust
    settings.cache_clear()
