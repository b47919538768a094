"""The workspaces that a request may name, and the callers that may change a workspace."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem
from chalicelib.targets import rules
from chalicelib.targets.model import Maker


def test_a_workspace_may_be_named_until_it_is_destroyed() -> None:
    rules.require_standing("production", "jane", "active")
    rules.require_standing("production", "jane", "expired")

    with pytest.raises(Problem) as refusal:
        rules.require_standing("production", "jane", "destroyed")
    assert refusal.value.type.slug == "workspace-not-active"


# Makers of workspaces, and callers that are not the maker.
JANE = Maker(issuer="https://people", subject="jane", repository_id=None)
RUN = Maker(issuer="https://pipelines", subject="repo:acme/azul:main", repository_id="74")
OTHERS = [
    Maker(issuer="https://people", subject="joe", repository_id=None),
    Maker(issuer="https://others", subject="jane", repository_id=None),
    Maker(issuer="https://people", subject="jane", repository_id="74"),
]
OTHER_RUNS = [
    Maker(issuer="https://pipelines", subject=RUN.subject, repository_id="75"),
    Maker(issuer="https://others", subject=RUN.subject, repository_id="74"),
    Maker(issuer="https://pipelines", subject=RUN.subject, repository_id=None),
]


def test_the_maker_of_a_workspace_may_change_it() -> None:
    rules.require_own("azul", "jane", JANE, JANE, Role.pipeline)


def test_all_runs_of_the_repository_that_made_a_workspace_may_change_it() -> None:
    nightly = Maker(issuer=RUN.issuer, subject="repo:acme/azul:environment:reap", repository_id="74")

    rules.require_own("azul", "jane", RUN, nightly, Role.pipeline)


@pytest.mark.parametrize(
    ("made_by", "other"), [*((JANE, each) for each in OTHERS), *((RUN, each) for each in OTHER_RUNS)]
)
def test_other_callers_must_be_maintainers(made_by: Maker, other: Maker) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_own("azul", "jane", made_by, other, Role.pipeline)
    assert refusal.value.type.slug == "forbidden"

    rules.require_own("azul", "jane", made_by, other, Role.maintainer)
