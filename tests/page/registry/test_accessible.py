"""axe finds no fault on any page of the registry, in either scheme, on a wide or a narrow screen."""

import pytest

from tests.page.axe import assert_accessible, faults
from tests.service.bindings.records import a_binding
from tests.service.deployments.records import an_artifact

# Each takes seconds, so `make test` looks only at the overview.
OTHER_PAGES = [
    "#/?system=azul&environment=production",
    "#/systems/azul",
    "#/systems/azul/deployments/1",
    f"#/systems/azul/artifacts/{an_artifact('one')}",
    "#/systems/azul/environments/production/changes",
    "#/workspaces",
    "#/holds",
    "#/metrics",
    "#/metrics?system=azul&figure=deployment_frequency",
    "#/dependencies",
]


@pytest.fixture
def azul(given):
    """A system in which every page has something to show."""
    given.the_usual(required_approvals=1)
    commits = [{"sha": "a" * 40, "authored_at": "2026-01-01T00:00:00Z", "subject": "Add a filter"}]
    given.a_deployment(an_artifact("one"), environment="preproduction", commits=commits, revision="a" * 40)
    given.a_verification(environment="preproduction")
    given.a_deployment(an_artifact("two"), state="failed")
    given.a_deployment(an_artifact("three"), environment="production", state="in_progress")
    given.a_freeze("production")
    given.a_freeze_over_systems()
    given.a_workspace(purpose="debug")
    given.bindings(a_binding())
    given.bindings(a_binding(), environment="production")


@pytest.mark.parametrize("fragment", ["#/", *(pytest.param(each, marks=pytest.mark.slow) for each in OTHER_PAGES)])
def test_axe_finds_nothing(fragment, azul, open_as):
    assert_accessible(open_as("admin", fragment))


def test_axe_finds_nothing_in_the_dialog_of_an_action(azul, open_as):
    page = open_as("admin", "#/systems/azul")

    page.get_by_role("region", name="production", exact=True).get_by_role("button", name="Freeze").click()
    page.get_by_role("dialog").get_by_role("button", name="Freeze").click()
    page.locator("#field-reason-fault").wait_for()

    assert faults(page) == []


def test_the_keyboard_reaches_a_cell(azul, open_as):
    page = open_as("viewer")

    page.get_by_role("link", name="azul in preproduction").press("Enter")

    page.get_by_role("heading", name="azul preproduction").wait_for()
