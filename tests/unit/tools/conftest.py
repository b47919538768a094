"""Fixtures of the tests of `make acceptance`: a service with prepared answers, and a wait that takes no time."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tools.local.acceptance.service import Answer, Service, Wait
from tools.local.acceptance.settings import AcceptanceSettings


class Clock:
    """A clock that moves only in `sleep`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def wait(said: list[str]) -> Wait:
    clock = Clock()
    return Wait(10, said.append, clock, clock.sleep)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    """`answering((503, b""), (200, b"…"))` makes a service that gives these answers, and repeats the last answer."""

    def answering(*answers: tuple[int, bytes]) -> Service:
        coming = itertools.chain(answers, itertools.repeat(answers[-1]))

        def ask(service: Service, method: str, path: str, *_: object, **__: object) -> Answer:
            status, body = next(coming)
            return Answer(method, path, status, {}, body)

        monkeypatch.setattr(Service, "ask", ask)
        return Service(AcceptanceSettings("https://service.example.org/production", "a.b.c"))

    return answering
