"""The journeys that make a load. A journey is a series of requests that a person or a pipeline sends."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

# A caller has this many seconds for a journey before it falls behind.
SECONDS_FOR_A_JOURNEY = 3


class Unexpected(Exception):
    """The service refused a request, or did not answer. The rest of the journey makes no sense."""


class Answer(NamedTuple):
    """An answer with the status 2xx or 304, its JSON, and its ETag or ""."""

    status: int
    json: Any
    etag: str


class Caller(Protocol):
    """Somebody who repeats a journey. `memory` is theirs, from one repetition to the next."""

    system: str
    memory: dict[str, Any]

    def get(self, path: str, etag: str = "") -> Answer:
        """Read. With `etag`, ask only for changes. Raise Unexpected."""

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Write once, with an Idempotency-Key. Raise Unexpected."""

    def patch(self, path: str, body: Mapping[str, Any], etag: str) -> Answer:
        """Change what still has this ETag. Raise Unexpected."""


class Journey(NamedTuple):
    """A journey, how often it happens in an hour, and how many requests it has.

    `role` is the least role in the system that may send the requests. `alone` is true if two callers in one system
    would be in each other's way.
    """

    name: str
    per_hour: float
    requests: int
    role: str
    run: Callable[[Caller], None]
    alone: bool = False


class Share(NamedTuple):
    """A journey's share of a run: how many callers repeat it, and how often they do so together."""

    journey: Journey
    callers: int
    per_second: float


def shares(chosen: Sequence[Journey], systems: Collection[str]) -> list[Share]:
    """Return the callers that each journey needs. Each caller of a journey that needs it alone has its own system."""
    found = []
    for journey in chosen:
        per_second = journey.per_hour / 3600
        callers = max(1, math.ceil(per_second * SECONDS_FOR_A_JOURNEY))
        found.append(Share(journey, min(callers, len(systems)) if journey.alone else callers, per_second))
    return found
