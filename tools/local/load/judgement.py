"""Judge what a load test measured by the objectives of the environment: infra/<environment>/objectives.json."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tools.checkout import ROOT, ToolError, read_json

# The service keeps up if it does this share of the journeys that the load test planned.
LEAST_SHARE_OF_JOURNEYS = 0.8


@dataclass(frozen=True)
class Operation:
    """An operation's answers: how many took which time, in milliseconds, and how many were failures.

    `class_` is the class of operations in the objectives: read or write.
    """

    name: str
    class_: str
    times: Counter[float]
    failures: int

    def percentile(self, share: float) -> float:
        """Return the time in milliseconds within which this share of the answers came."""
        left = math.ceil(share * self.times.total())
        for time in sorted(self.times):
            left -= self.times[time]
            if left <= 0:
                return time
        return math.nan


class Journeys(NamedTuple):
    """How often a journey was to be made, and how often it was made."""

    name: str
    planned: int
    done: int


@dataclass(frozen=True)
class Measured:
    """The measurements of a load test. `faults` has the number of failures by operation and kind."""

    operations: Sequence[Operation]
    journeys: Sequence[Journeys]
    faults: Mapping[str, int]


class Check(NamedTuple):
    """An objective, and a sentence that says if it was met."""

    holds: bool
    said: str


def objectives(environment: str) -> Mapping[str, Any]:
    """Return the objectives of an environment, or raise ToolError."""
    path = ROOT / "infra" / environment / "objectives.json"
    try:
        found: Mapping[str, Any] = read_json(path)
    except FileNotFoundError:
        raise ToolError(f"{path.relative_to(ROOT)} is missing: write the objectives of the environment there") from None
    return found


def judge(measured: Measured, wanted: Mapping[str, Any]) -> Iterator[Check]:
    """Yield a check for each objective that the load test can measure. A class without requests has none."""
    requests = sum(each.times.total() for each in measured.operations)
    good = 1 - sum(each.failures for each in measured.operations) / requests if requests else 0.0
    yield Check(
        good >= wanted["availability"],
        f"{_percent(good)} of {requests:,} requests succeeded; the objective is {_percent(wanted['availability'])}",
    )
    for class_, limit in wanted["latency"].items():
        times = sum((each.times for each in measured.operations if each.class_ == class_), Counter[float]())
        if not times:
            continue
        fast = sum(count for time, count in times.items() if time <= limit["milliseconds"]) / times.total()
        yield Check(
            fast >= limit["share"],
            f"{_percent(fast)} of {times.total():,} {class_}s took at most {limit['milliseconds']} ms; "
            f"the objective is {_percent(limit['share'])}",
        )
    for name, planned, done in measured.journeys:
        # One less is no fault of the service: the last one can have begun at the end.
        least = planned * LEAST_SHARE_OF_JOURNEYS - 1
        yield Check(done >= least, f"“{name}” was done {done:,} times; planned were {planned:,}")


def table(measured: Measured) -> Iterator[str]:
    """Yield a line for each operation."""
    yield f"{'operation':<24} {'requests':>8} {'failures':>8} {'p50':>6} {'p95':>6} {'p99':>6} ms"
    for each in sorted(measured.operations, key=lambda each: each.name):
        times = " ".join(f"{each.percentile(share):6.0f}" for share in (0.5, 0.95, 0.99))
        yield f"{each.name:<24} {each.times.total():>8,} {each.failures:>8,} {times}"
    for fault, count in sorted(measured.faults.items()):
        yield f"{fault}: {count:,} times"


def _percent(share: float) -> str:
    # Round down, so that 99.99 % is not shown as 100 %.
    return f"{math.floor(share * 10_000) / 100:g} %"
