"""What a publisher may name."""

from collections.abc import Collection, Sequence

from chalicelib.publishers.model import NewPublisher
from chalicelib.rest.problems import Fault, Problem, invalid, invalid_field


def issuer_of(new: NewPublisher, trusted: Sequence[str]) -> str:
    """The issuer of the pipeline's tokens: a trusted one, and which one only needs saying where there are several."""
    if new.issuer is None and len(trusted) == 1:
        return trusted[0]
    if new.issuer in trusted:
        return str(new.issuer)
    known = " or ".join(trusted) or "none: the stage's SLIPWAY_ISSUERS names no issuer of kind github-actions"
    raise invalid_field("#/issuer", f"is not one whose pipelines are trusted here ({known})")


def require_environments(new: NewPublisher, existing: Collection[str]) -> None:
    """What a publisher is for has to be there, so that a slip of the pen is found now."""
    missing = [name for name in new.environments if name not in existing]
    if missing:
        raise Problem(
            invalid,
            f"The system has no environment {', '.join(missing)}",
            errors=[Fault(f"#/environments/{name}", "is not an environment of the system") for name in missing],
        )
