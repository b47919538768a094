"""The order in which a run's workers take the tests."""

from itertools import groupby

import pytest

from tests.support.checkout import ROOT
from tests.support.order import SECONDS, spread

LONG = {"apply": 300.0, "plan": 200.0, "policy": 120.0, "package": 50.0}


def collected(**modules: int) -> list[tuple[str, str]]:
    return [(module, f"{module}-{number}") for module, count in modules.items() for number in range(count)]


# As they are collected: the long ones lie together.
COLLECTED = collected(gate=40, apply=2, plan=3, package=1, policy=4, routes=30, rules=20)


def stretches(order: list[str], workers: int) -> list[list[str]]:
    """What xdist gives each worker to begin with."""
    left, found = list(order), []
    for remaining in range(workers, 0, -1):
        size = len(left) // remaining
        found.append(left[:size])
        left = left[size:]
    return found


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_every_test_stays_and_a_module_s_stay_together_and_in_order(workers: int) -> None:
    order = spread(COLLECTED, workers, LONG)

    assert sorted(order) == sorted(test for _, test in COLLECTED)
    for module in LONG:
        runs = [list(group) for name, group in groupby(order, key=lambda test: test.split("-")[0]) if name == module]
        assert runs == [[test for name, test in COLLECTED if name == module]]


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_each_worker_begins_with_a_long_module(workers: int) -> None:
    begins = [stretch[0].split("-")[0] for stretch in stretches(spread(COLLECTED, workers, LONG), workers)]

    assert begins == ["apply", "plan", "policy", "package"][:workers]


def test_the_longest_goes_to_whoever_has_the_least_to_do() -> None:
    first, second = stretches(spread(COLLECTED, 2, LONG), 2)

    assert [name for name, _ in groupby(first, key=lambda test: test.split("-")[0])][:2] == ["apply", "package"]
    assert [name for name, _ in groupby(second, key=lambda test: test.split("-")[0])][:2] == ["plan", "policy"]


def test_long_modules_with_more_tests_than_a_worker_s_share_lose_none() -> None:
    tests = collected(apply=50, rules=3)

    assert sorted(spread(tests, 3, LONG)) == sorted(test for _, test in tests)


def test_where_nothing_takes_long_the_order_stays() -> None:
    assert spread(COLLECTED, 3, {}) == [test for _, test in COLLECTED]


@pytest.mark.parametrize("module", SECONDS)
def test_what_is_said_to_take_long_is_there(module: str) -> None:
    assert (ROOT / "tests" / module).is_file()
