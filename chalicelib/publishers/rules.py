"""The issuers and environments that a publisher may name."""

from collections.abc import Collection, Sequence

from chalicelib.publishers.model import NewPublisher
from chalicelib.rest.problems import Fault, Problem, invalid, invalid_field


def issuer_of(new: NewPublisher, trusted: Sequence[str]) -> str:
    """Return the issuer of the pipeline's tokens. It must be trusted, and be named if several are."""
    if new.issuer is None and len(trusted) == 1:
        return trusted[0]
    if new.issuer in trusted:
        return str(new.issuer)
    known = " or ".join(trusted) or "one once SLIPWAY_ISSUERS names an issuer of kind github-actions"
    raise invalid_field("#/issuer", f"is not an issuer that is trusted for pipelines here: send {known}")


def require_environments(new: NewPublisher, existing: Collection[str]) -> None:
    """The environments must exist, so that a typing mistake is found now."""
    missing = [name for name in new.environments if name not in existing]
    if missing:
        raise Problem(
            invalid,
            f"The system has no environment {', '.join(missing)}",
            errors=[Fault(f"#/environments/{name}", "is not an environment of the system") for name in missing],
        )
