"""Changes that loosen or leave production environments, and AWS accounts that other systems named first."""

from collections.abc import Iterator, Sequence

from chalicelib.environments.model import Environment
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem, forbidden


def loosened(before: Sequence[Environment], after: Sequence[Environment]) -> list[str]:
    """Say what a change loosens: less that production environments require, or more that they trust.

    `before` and `after` have a system's environments before and after the change. Another environment before counts as
    loosening, because an artifact would no longer have to prove itself where it has to now.
    """
    remaining = {each.name: each for each in after}
    return [
        f"{each.name} {loss}"
        for each in before
        if each.production
        for loss in _losses(each, remaining.get(each.name), _preceding(each, before), after)
    ]


def require_own_account(system: str, first_system: str | None, role: Role, *, may_read: bool) -> None:
    """An AWS account that another system named first takes an admin.

    `role` is the caller's role in `system`. The refusal names the other system only to callers who may read it.
    """
    if first_system in (None, system) or role >= Role.admin:
        return
    holder = f"the system {first_system!r}" if may_read else "another system"
    raise Problem(
        forbidden,
        f"The AWS account belongs to {holder}, which named it first. Ask an admin to name it here, or choose another "
        "account.",
    )


# registry
def leaves_production(before: Environment, after: Environment | None) -> bool:
    """True if a change takes an environment, or its AWS account, out of production. `after` is None for a deletion."""
    if not before.production:
        return False
    return (
        after is None
        or not after.production
        or (before.aws_account_id is not None and after.aws_account_id != before.aws_account_id)
    )


def require_right_to_leave(environment: str, freeze: str | None, role: Role) -> None:
    """Only an admin takes an environment out of production while a freeze of all production environments is not over.

    Otherwise a maintainer could deploy under another name for the environment, and then undo the change. `freeze` is
    the id of such a freeze, or None. `role` is the caller's role in the system.
    """
    if freeze is None or role >= Role.admin:
        return
    raise Problem(
        forbidden,
        f"Hold {freeze} freezes the production environments of all systems. Until it is over, only an admin may delete "
        f"{environment}, take it out of production or give it another AWS account. Ask an admin, or wait.",
    )


# /registry
def _losses(
    was: Environment, now: Environment | None, preceding: str | None, after: Sequence[Environment]
) -> Iterator[str]:
    if now is None:
        yield "would be deleted"
        return
    if not now.production:
        yield "would no longer be production"
    if preceding is not None and _preceding(now, after) != preceding:
        yield f"would no longer come directly after {preceding}"
    for suite in was.required_suites:
        if suite not in now.required_suites:
            yield f"would no longer require the suite {suite}"
    if now.required_approvals < was.required_approvals:
        yield "would require fewer approvals"
    if now.required_soak_seconds < was.required_soak_seconds:
        yield "would require a shorter soak"
    if _age(now) > _age(was):
        yield "would accept older verifications"
    yield from _addresses(was, now)


def _addresses(was: Environment, now: Environment) -> Iterator[str]:
    """Say to which other addresses clients would be sent, with their tokens."""
    if was.base_url is not None and now.base_url != was.base_url:
        yield "would have another base_url"
    for host in now.workspace_hosts:
        if host not in was.workspace_hosts:
            yield f"would let clients be routed to {host}"


def _preceding(environment: Environment, among: Sequence[Environment]) -> str | None:
    """Return the name of the environment with the next lower rank, or None if there is none."""
    lower = [each for each in among if each.rank < environment.rank]
    return max(lower, key=lambda each: each.rank).name if lower else None


def _age(environment: Environment) -> float:
    """Return the greatest age of verifications that the environment accepts."""
    age = environment.verification_max_age_seconds
    return float("inf") if age is None else age
