"""In which order a run's workers take the tests: each begins with long ones, so that none is left to the end.

pytest-xdist's `worksteal` gives each worker an equal stretch of the tests, and who is done early takes from the end of
another's. The long ones lie together and mostly wait for Terraform: so they would be one worker's, and the others, done
with the rest, would take them over late, or wait. At the beginnings of all stretches they run beside short ones.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")

# About how long modules take that take long, by their path below tests/: how they compare is what counts.
# `--durations=50` measures it. What is missing here is short.
SECONDS = {
    "emulator/test_alias.py": 25,
    "emulator/test_isolation.py": 300,
    "infra/test_account.py": 150,
    "infra/test_checkov.py": 20,
    "infra/test_compose.py": 20,
    "infra/test_environments.py": 75,
    "infra/test_first_deployment.py": 170,
    "infra/test_modules.py": 170,
    "infra/test_policy.py": 40,
    "local/test_acceptance.py": 35,
    "local/test_run.py": 20,
}


def spread(tests: Sequence[tuple[str, T]], workers: int, seconds: Mapping[str, float] = SECONDS) -> list[T]:
    """Tests with their modules in the order in which xdist should have them. A module's tests stay together.

    The longest module goes to the worker that has the least to do so far.
    """
    modules = [(module, [test for _, test in group]) for module, group in groupby(tests, key=lambda test: test[0])]
    long = sorted((each for each in modules if each[0] in seconds), key=lambda each: -seconds[each[0]])
    short = [test for module, group in modules if module not in seconds for test in group]
    begins: list[list[T]] = [[] for _ in range(workers)]
    busy = [0.0] * workers
    for module, group in long:
        least = busy.index(min(busy))
        begins[least] += group
        busy[least] += seconds[module]
    order: list[T] = []
    for place, begin in enumerate(begins):
        left = workers - place
        # As xdist divides them; where the beginnings take more than that, the last ones get less.
        rest = max((len(tests) - len(order)) // left - len(begin), 0) if left > 1 else len(short)
        order += begin + short[:rest]
        del short[:rest]
    return order
