"""The answers to writes that break a constraint of the schema.

Validation refuses most of these writes earlier, with a better message. In a race only the constraint refuses them.
"""

from typing import NamedTuple

from chalicelib.rest.problems import Fault, Problem, ProblemType, invalid


class Refusal(NamedTuple):
    """A problem, its detail, and the field at fault, if there is one."""

    problem: ProblemType
    detail: str
    pointer: str


REFUSALS: dict[str, Refusal] = {}


def constraint(name: str, problem: ProblemType, detail: str, pointer: str = "") -> None:
    """Declare a model's answer to a write that violates a constraint or that a trigger refuses.

    `name` is the name of the constraint or the trigger.
    """
    assert name not in REFUSALS, f"constraint {name} is declared twice: remove one of the declarations"
    REFUSALS[name] = Refusal(problem, detail, pointer)


def problem_of(name: str) -> Problem | None:
    """Return the problem for a violated constraint, or None if no model declares the constraint."""
    if (refusal := REFUSALS.get(name)) is None:
        return None
    faults = [Fault(refusal.pointer, refusal.detail)] if refusal.pointer else []
    return Problem(refusal.problem, refusal.detail, errors=faults)


# The types of the first migration.
constraint("moment_in_range", invalid, "A time is before 1970 or after 9998: correct the time")
constraint("url_known", invalid, "A URL is unusable: send `http://` or `https://` and visible ASCII characters")
constraint("stated_reason_known", invalid, "A reason is empty, or starts or ends with white space: correct the reason")
constraint("small_json_readable", invalid, "The record of the write is too large: send shorter values")
