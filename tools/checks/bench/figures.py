"""What was measured, and how measuring stands up to a machine that is busy with other things."""

import gc
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the table. `bound` is the most that `value` may be, None where nothing depends on it."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.bound is None or self.value <= self.bound


def table(figures: Iterable[Figure]) -> str:
    """The figures as text, one a line."""
    lines = []
    for figure in figures:
        value = f"{figure.value:,.2f}" if figure.unit == "times" else f"{figure.value:,.0f}"
        bound = "" if figure.bound is None else f"≤ {figure.bound:,} {'holds' if figure.holds else 'DOES NOT HOLD'}"
        lines.append(f"{figure.what:<43} {value:>10} {figure.unit:<6} {bound:<21} {figure.detail}".rstrip())
    return "\n".join(lines)


def fastest(*ways: Callable[[], float], rounds: int) -> list[float]:
    """What each way costs when it is disturbed the least. They take turns, and who goes first changes.

    Whatever else a machine does can only add to a cost: the least of many is the one to compare.
    """
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way in range(len(ways)) if number % 2 == 0 else reversed(range(len(ways))):
            taken[way].append(ways[way]())
    return [min(costs) for costs in taken]


def microseconds(call: Callable[[], object], times: int) -> Callable[[], float]:
    """A way to spend processor time: the microseconds that one of `times` calls takes. Others' time is not counted."""

    def spend() -> float:
        started = time.process_time_ns()
        for _ in range(times):
            call()
        return (time.process_time_ns() - started) / times / 1000

    call()
    # The garbage collector runs as it does on AWS, but not over what only tools have imported.
    gc.collect()
    gc.freeze()
    return spend
