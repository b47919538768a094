"""The reason that a change needs if it lets production environments require less or trust more."""

from collections.abc import Sequence

from chalicelib.rest.problems import Fault, Problem, reason_required


def require_reason(reason: str | None, loosened: Sequence[str]) -> None:
    """A change that lets a production environment require less or trust more takes a reason. `loosened` says what."""
    if loosened and reason is None:
        raise Problem(
            reason_required,
            f"A production environment would be loosened: {'; '.join(loosened)}. Send a `reason` of 10 to 500 "
            "characters with the change.",
            errors=[Fault("#/reason", "is required for this change: say why it is right")],
        )
