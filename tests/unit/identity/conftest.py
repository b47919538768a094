"""An issuer that serves its keys, and the set of keys that the service keeps."""

import logging
from collections.abc import Iterator

import pytest

from chalicelib.identity.keys import KeySet
from chalicelib.telemetry.logs import logger
from tests.support.issuer import IssuerServer, serving
from tests.support.key_sets import Clock


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture
def unexpected() -> Iterator[list[logging.LogRecord]]:
    """The logged errors. A test must leave none in this list: an issuer's fault is not an error of the service."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    assert not records


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(issuer: IssuerServer, clock: Clock) -> KeySet:
    return KeySet(issuer.trusted(), clock)
