"""Break workflows, to show that a rule finds the fault."""

from collections.abc import Callable
from typing import Any

from tests.support.workflows import Definition

Change = Callable[[Definition], Any]


def job(name: str, **members: Any) -> Change:
    return lambda it: it.jobs[name].update({member.replace("_", "-"): value for member, value in members.items()})


def step(**members: Any) -> Change:
    """Add a step to the first job."""
    return lambda it: next(iter(it.jobs.values()))["steps"].append(members)


def last_step(name: str, **members: Any) -> Change:
    """Add a step to a job."""
    return lambda it: it.jobs[name]["steps"].append(members)


def permission(name: str, scope: str, level: str) -> Change:
    return lambda it: it.jobs[name]["permissions"].update({scope: level})


def without_setup(name: str) -> Change:
    """Remove the last step with the setup action from a job."""

    def change(it: Definition) -> None:
        steps = it.jobs[name]["steps"]
        steps.remove([step for step in steps if step.get("uses", "").endswith("/.github/actions/setup")][-1])

    return change


def text(old: str, new: str) -> Change:
    def change(it: Definition) -> None:
        assert old in it.text
        it.text = it.text.replace(old, new, 1)

    return change


def concurrency(**members: Any) -> Change:
    return lambda it: it.content["concurrency"].update(members)
