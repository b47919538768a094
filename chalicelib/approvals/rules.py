"""The rules for approvals (rule 15 of docs/registry/rules.md)."""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.approvals.model import Approval, ApprovalFact, NewApprovalFacts, Person, approval_ended
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Fault, Problem, conflict, forbidden


def counting(approvals: Iterable[ApprovalFact], at: datetime, opener: Person | None) -> list[ApprovalFact]:
    """Return the approvals that count at a moment. The approval of the person who opens the deployment does not."""
    return [
        approval
        for approval in approvals
        if at < approval.expires_at and Person(issuer=approval.issuer, subject=approval.subject) != opener
    ]


def require_person(*, by_run: bool) -> None:
    """Only people approve. `by_run` is true if the caller's token belongs to a pipeline's run."""
    if by_run:
        raise Problem(forbidden, "A pipeline's run gives no approvals: ask a person who is maintainer to approve")


def require_not_bad(facts: NewApprovalFacts) -> None:
    """An artifact that is marked bad takes no approvals."""
    if facts.bad_mark is not None:
        detail = f"is marked bad by hold {facts.bad_mark}: approve another artifact, or release the hold first"
        raise Problem(conflict, f"#/artifact: {detail}", errors=[Fault("#/artifact", detail)])


def require_giver(approval: Approval, giver: Person, caller: Person, role: Role) -> None:
    """The person who gave an approval may withdraw it, and an admin may withdraw any approval."""
    if caller != giver and role < Role.admin:
        raise Problem(
            forbidden, f"{approval.created_by!r} gave the approval: ask this person or an admin to withdraw it"
        )


def require_active(approval: Approval) -> None:
    """Only an active approval can be withdrawn."""
    if approval.state != "active":
        raise Problem(approval_ended, f"The approval is {approval.state}, so it no longer counts: leave it as it is")
