"""The problem that a short id fits several records."""

from typing import Annotated

from msgspec import Meta

from chalicelib.rest.problems import problem_type

MOST_CANDIDATES = 10

ambiguous_id = problem_type(
    "ambiguous-id",
    409,
    "Ambiguous id",
    "Several ids start with these digits: send more digits, or one of `candidates`.",
    candidates=Annotated[
        list[str], Meta(description=f"The ids that start with these digits: the first {MOST_CANDIDATES}")
    ],
)
