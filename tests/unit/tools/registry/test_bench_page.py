"""The benchmark of the dashboard counts the time of scripts once, and without layout."""

from typing import Any

from tools.checks.bench.overview.page import script_milliseconds


def event(name: str, starts: int, takes: int, thread: int = 1) -> dict[str, Any]:
    """Return an event of a trace. Its thread ran for half of its time."""
    return {"ph": "X", "name": name, "pid": 1, "tid": thread, "ts": starts, "dur": takes, "tdur": takes // 2}


def test_a_script_within_a_script_counts_once() -> None:
    assert script_milliseconds([event("FunctionCall", 2000, 500), event("RunMicrotasks", 1000, 4000)]) == 2


def test_layout_counts_only_against_the_script_that_forces_it() -> None:
    events = [
        event("RunMicrotasks", 1000, 4000),
        event("UpdateLayoutTree", 2000, 1000),
        event("Layout", 2200, 400),
        event("Layout", 9000, 4000),
        event("Layout", 2000, 4000, thread=2),
    ]

    assert script_milliseconds(events) == 1.5


def test_other_events_do_not_count() -> None:
    assert script_milliseconds([event("Paint", 0, 100), {"ph": "I", "name": "FunctionCall", "ts": 0}]) == 0
