"""The actions say what they do, ask for the name of production, and show the service's problems where they belong."""

import pytest

from tests.service.deployments.records import an_artifact

REASON = "The sale of the season"


@pytest.fixture
def azul(given):
    given.the_usual(required_approvals=1)
    given.a_deployment(an_artifact("one"), environment="preproduction")
    return given


def lane(page, environment):
    return page.get_by_role("region", name=environment, exact=True)


def dialog(page):
    return page.get_by_role("dialog")


def test_a_freeze_of_production_takes_the_name_of_the_environment(azul, api, open_as):
    page = open_as("maintainer", "#/systems/azul")
    lane(page, "production").get_by_role("button", name="Freeze").click()
    dialog(page).get_by_label("Reason").fill(REASON)

    dialog(page).get_by_label("Type production to confirm").fill("produktion")
    dialog(page).get_by_role("button", name="Freeze").click()
    dialog(page).get_by_text("type production exactly").wait_for()
    assert api.get("/v1/systems/azul/holds")["items"] == []

    dialog(page).get_by_label("Type production to confirm").fill("production")
    dialog(page).get_by_role("button", name="Freeze").click()
    page.get_by_role("cell", name=REASON).wait_for()
    [hold] = api.get("/v1/systems/azul/holds")["items"]
    assert (hold["kind"], hold["environment"], hold["reason"]) == ("freeze", "production", REASON)


def test_the_problem_of_a_field_is_shown_at_the_field(azul, open_as, expected_errors):
    expected_errors.append("422")
    page = open_as("maintainer", "#/systems/azul")
    lane(page, "development").get_by_role("button", name="Freeze").click()
    dialog(page).get_by_label("Reason").fill(REASON)
    dialog(page).get_by_label("Ends").fill("2020-01-01T00:00")

    dialog(page).get_by_role("button", name="Freeze").click()

    page.locator("#field-ends_at-fault").wait_for()
    assert page.evaluate("document.activeElement.id") == "field-ends_at"


def test_a_hold_is_released(azul, api, open_as):
    azul.a_freeze("development", reason=REASON)
    page = open_as("maintainer", "#/systems/azul")

    lane(page, "development").get_by_role("button", name="Release").click()
    dialog(page).get_by_label("Reason").fill("The sale is over")
    dialog(page).get_by_role("button", name="Release").click()

    page.get_by_text("No hold is in force").wait_for()
    assert api.get("/v1/systems/azul/holds?state=released")["items"][0]["release_reason"] == "The sale is over"


def test_an_artifact_is_marked_bad(azul, api, open_as):
    artifact = an_artifact("one")
    page = open_as("maintainer", f"#/systems/azul/artifacts/{artifact}")

    page.get_by_role("button", name="Mark bad").click()
    dialog(page).get_by_label("Reason").fill("Doubles refunds")
    short = artifact.removeprefix("tree:")[:7]
    dialog(page).get_by_label(f"Type {short} to confirm").fill(short)
    dialog(page).get_by_role("button", name="Mark bad").click()

    page.get_by_role("cell", name="Doubles refunds").wait_for()
    assert api.get("/v1/systems/azul/holds")["items"][0]["artifact"] == artifact


def test_the_dry_run_says_why_not(azul, open_as):
    page = open_as("viewer", "#/systems/azul")

    lane(page, "production").get_by_role("button", name="Ask the gate").click()
    dialog(page).get_by_role("button", name="Ask").click()

    dialog(page).get_by_text("It may not enter").wait_for()
    assert "not verified" in dialog(page).inner_text()


def test_a_workspace_is_extended_and_routed_to(azul, api, open_as):
    workspace = azul.a_workspace(purpose="debug", base_url="https://debug.example.org")["id"]
    path = f"/v1/systems/azul/workspaces/{workspace}"
    before = api.get(path)["expires_at"]
    page = open_as("admin", "#/workspaces")

    page.get_by_role("button", name="Extend").click()
    dialog(page).get_by_label("Reason").fill("Still looking for the slow query")
    dialog(page).get_by_role("button", name="Extend").click()
    dialog(page).wait_for(state="hidden")
    assert api.get(path)["expires_at"] != before

    page.get_by_role("button", name="Route").click()
    dialog(page).get_by_label("Client").fill("admin@local")
    dialog(page).get_by_role("button", name="Route").click()
    page.get_by_role("button", name="End", exact=True).wait_for()
    assert api.get(f"{path}/routes")["items"][0]["client"] == "admin@local"


def test_extending_never_shortens(azul, api, open_as):
    workspace = azul.a_workspace(purpose="debug")["id"]
    before = api.get(f"/v1/systems/azul/workspaces/{workspace}")["expires_at"]
    page = open_as("admin", "#/workspaces")

    page.get_by_role("button", name="Extend").click()
    offered = dialog(page).get_by_label("New end").input_value()
    dialog(page).get_by_label("New end").fill("2026-01-01T12:00")
    dialog(page).get_by_role("button", name="Extend").click()

    dialog(page).get_by_text("is not later").wait_for()
    assert offered >= before[:16]
    assert api.get(f"/v1/systems/azul/workspaces/{workspace}")["expires_at"] == before


def test_an_approval_says_which_commits_would_be_lost(azul, open_as):
    commits = [{"sha": "f" * 40, "authored_at": "2026-01-01T00:00:00Z"}]
    azul.a_deployment(
        an_artifact("hot"), environment="production", kind="hotfix", override_reason="It is urgent", commits=commits
    )
    page = open_as("maintainer", "#/systems/azul")

    assert "loses 1 commit" in lane(page, "production").inner_text()
    lane(page, "production").get_by_role("button", name="Approve").click()

    assert "It loses 1 commit" in dialog(page).inner_text()


def test_an_older_artifact_before_production_is_no_promotion(given, open_as):
    given.the_usual(required_approvals=1)
    for name in ("one", "two"):
        commits = [{"sha": str(len(name)) * 40 if name == "one" else "e" * 40, "authored_at": "2026-01-01T00:00:00Z"}]
        given.a_deployment(an_artifact(name), environment="preproduction", commits=commits)
        given.a_deployment(
            an_artifact(name), environment="production", kind="hotfix", override_reason="It is urgent", commits=commits
        )
    given.a_deployment(an_artifact("one"), environment="preproduction", kind="rollback")

    production = lane(open_as("maintainer", "#/systems/azul"), "production")

    assert "has an older artifact" in production.inner_text()
    assert production.get_by_role("button", name="Approve").count() == 0


def test_a_freeze_over_all_systems_takes_an_admin(azul, api, open_as):
    assert open_as("maintainer", "#/holds").get_by_role("button", name="Freeze all systems").count() == 0
    page = open_as("admin", "#/holds")

    page.get_by_role("button", name="Freeze all systems").click()
    dialog(page).get_by_label("Reason").fill(REASON)
    dialog(page).get_by_label("Type all systems to confirm").fill("all systems")
    dialog(page).get_by_role("button", name="Freeze all systems").click()

    page.get_by_role("cell", name=REASON).wait_for()
    assert api.get("/v1/holds")["items"][0]["production"] is True


def test_a_viewer_is_offered_no_action_that_changes_something(azul, open_as):
    azul.a_freeze("development", reason=REASON)

    page = open_as("viewer", "#/systems/azul")

    offered = page.locator("main").get_by_role("button").all_inner_texts()
    assert {words for words in offered if words} == {"Ask the gate"}
