"""Measure costs, and format them as a table. Other work on the machine changes these costs little."""

import gc
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the table. `value` must be at most `bound`. Without `bound`, any value holds."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.bound is None or self.value <= self.bound


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as text, one on each line."""
    lines = []
    for figure in figures:
        value = f"{figure.value:,.2f}" if figure.unit == "times" else f"{figure.value:,.0f}"
        bound = "" if figure.bound is None else f"≤ {figure.bound:,} {'holds' if figure.holds else 'DOES NOT HOLD'}"
        lines.append(f"{figure.what:<43} {value:>10} {figure.unit:<6} {bound:<21} {figure.detail}".rstrip())
    return "\n".join(lines)


def fastest(*ways: Callable[[], float], rounds: int) -> list[float]:
    """Return the lowest cost of each function in `ways`.

    Each function returns a cost. The functions take turns, in changing order.
    Other work on the machine can only add to a cost. So the lowest of many costs is the best one to compare.
    """
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way in range(len(ways)) if number % 2 == 0 else reversed(range(len(ways))):
            taken[way].append(ways[way]())
    return [min(costs) for costs in taken]


def microseconds(call: Callable[[], object], times: int) -> Callable[[], float]:
    """Return a function that makes `times` calls, and returns the microseconds of processor time for each call."""

    def spend() -> float:
        started = time.process_time_ns()
        for _ in range(times):
            call()
        return (time.process_time_ns() - started) / times / 1000

    call()
    # Let the garbage collector skip all objects so far. Many come from the tools, and do not exist on AWS.
    gc.collect()
    gc.freeze()
    return spend
