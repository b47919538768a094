"""Rule 15 of docs/registry/rules.md: the approvals that count, and who gives and withdraws them."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.approvals import rules
from chalicelib.approvals.model import ApprovalFact, Person
from chalicelib.rest.problems import Problem

AT = datetime(2026, 5, 8, 18, 0, tzinfo=UTC)
JANE, JOHN = Person(issuer="one", subject="jane"), Person(issuer="one", subject="john")


def by(person, expires_at=AT + timedelta(seconds=1)):
    return ApprovalFact(issuer=person.issuer, subject=person.subject, expires_at=expires_at)


def test_an_approval_counts_until_it_expires():
    assert rules.counting([by(JANE), by(JOHN, AT)], AT, None) == [by(JANE)]


def test_the_approval_of_the_person_who_opens_the_deployment_does_not_count():
    namesake = Person(issuer="another", subject="jane")

    assert rules.counting([by(JANE), by(JOHN), by(namesake)], AT, JANE) == [by(JOHN), by(namesake)]


def test_a_pipelines_run_gives_no_approval():
    rules.require_person(by_run=False)
    with pytest.raises(Problem, match="a person"):
        rules.require_person(by_run=True)
