"""The issuers, environments and repositories that a publisher may name."""

from collections.abc import Collection, Iterable, Sequence

from chalicelib.publishers.model import (
    MOST_FOR_A_REPOSITORY,
    MOST_IN_A_SYSTEM,
    NewPublisher,
    Surroundings,
    TrustedRepository,
    too_many_publishers,
)
from chalicelib.rest.problems import Fault, Problem, invalid, invalid_field


def issuer_of(new: NewPublisher, trusted: Sequence[str]) -> str:
    """Return the issuer of the pipeline's tokens, or raise problem 422 if the stage does not trust the issuer.

    If the stage trusts only one issuer of pipelines, the publisher need not name it.
    """
    if new.issuer is None and len(trusted) == 1:
        return trusted[0]
    if new.issuer in trusted:
        return str(new.issuer)
    known = " or ".join(trusted)
    what_next = f"send {known}" if known else "ask for an issuer of kind github-actions in SLIPWAY_ISSUERS"
    raise invalid_field("#/issuer", f"is not an issuer that this stage trusts for pipelines: {what_next}")


def require_environments(new: NewPublisher, existing: Collection[str]) -> None:
    """The environments of a new publisher must exist, so that a typing mistake is found early."""
    missing = [name for name in new.environments if name not in existing]
    if missing:
        raise Problem(
            invalid,
            f"The system has no environment {', '.join(map(repr, missing))}. "
            "Check the names, or create the environments.",
            errors=[
                Fault(
                    f"#/environments/{name}",
                    "is not an environment of the system: correct the name, or create the environment",
                )
                for name in missing
            ],
        )


def loosened(new: NewPublisher, existing: Surroundings, issuer: str) -> list[str]:
    """Say which production environments would trust another repository than the system's own.

    This takes a reason for deployments and verifications, which the gate trusts.
    """
    if _is_own(existing.repository, new.repository, issuer) or not {"deployments", "verifications"} & {*new.kinds}:
        return []
    return [
        f"{name} would trust {new.repository}, which is not the `repository` of the system"
        for name in new.environments
        if name in existing.production
    ]


def loosened_by_production(environment: str, trusted: Iterable[TrustedRepository]) -> list[str]:
    """Say which other repositories than the system's own an environment would trust as a production environment."""
    return [
        f"{environment} would trust {each.repository}, which is not the `repository` of the system"
        for each in trusted
        if not _is_own(each.own, each.repository, each.issuer)
    ]


def require_few(existing: Surroundings) -> None:
    """A system has at most MOST_IN_A_SYSTEM publishers, and at most MOST_FOR_A_REPOSITORY for one repository."""
    if existing.publishers >= MOST_IN_A_SYSTEM:
        count, of_repository = existing.publishers, ""
    elif existing.of_repository >= MOST_FOR_A_REPOSITORY:
        count, of_repository = existing.of_repository, " for this repository"
    else:
        return
    raise Problem(
        too_many_publishers,
        f"The system has {count} publishers{of_repository}, which is the most: delete one that no pipeline uses",
    )


def _is_own(url: str | None, repository: str, issuer: str) -> bool:
    """True if the URL of a system's repository is that of a publisher's repository. Case does not matter.

    An issuer without TLS is a stand-in on a developer's machine, and has no repositories on a host of its own.
    """
    path = (url or "").removeprefix("https://").removesuffix("/").removesuffix(".git")
    host, _, name = path.casefold().partition("/")
    return name == repository.casefold() and (not issuer.startswith("https://") or host == _host_of(issuer))


def _host_of(issuer: str) -> str:
    """Return the host of an issuer's repositories. An issuer on a server of its own has the server's host."""
    host = issuer.removeprefix("https://").partition("/")[0].removeprefix("token.actions.")
    return "github.com" if host == "githubusercontent.com" else host
