"""The suites that verify a deployment are few, because the state and the gate list a result of each."""

import psycopg2
import pytest

from chalicelib.verifications.model import MOST_SUITES
from tests.service.deployments.records import an_artifact
from tests.support.growth import pages_read
from tests.support.largest import copy
from tools.checks.bench.exchanges import recorded

PATH = "/v1/systems/azul/verifications"
FIRST, SECOND = an_artifact("first"), an_artifact("second")


@pytest.fixture
def full(given):
    """The id of a current deployment that was verified by as many suites as possible."""
    given.the_usual()
    tested = given.an_import(FIRST)["id"]
    given.a_verification(suite="suite-1", outcome="failure")
    copy(given, "verifications", f", generate_series(2, {MOST_SUITES}) AS n", suite="'suite-' || n")
    return tested


def record(api, tested, suite):
    body = {"deployment": tested, "suite": suite, "trigger": "manual", "outcome": "success"}
    return api.as_("pipeline").post(PATH, body)


def test_one_more_suite_is_refused(api, full):
    refused = record(api, full, "another")

    assert (refused.status, refused.problem) == (409, "too-many-suites")
    assert len(api.get("/v1/systems/azul/state")["targets"][0]["verifications"]) == MOST_SUITES


def test_the_same_suites_may_run_again(api, full):
    assert record(api, full, "suite-1").status == 201
    assert record(api, full, f"suite-{MOST_SUITES}").status == 201


def test_a_suite_that_an_environment_requires_is_never_refused(api, given, full):
    given.sql("UPDATE environments SET required_suites = '{load}' WHERE name = 'production'")

    assert record(api, full, "load").status == 201
    assert record(api, full, "another").problem == "too-many-suites"


@pytest.mark.usefixtures("full")
def test_an_import_of_one_more_suite_is_refused(api):
    at = "2026-01-01T00:00:00Z"
    body = {
        "environment": "development",
        "artifact": FIRST,
        "suite": "another",
        "trigger": "manual",
        "outcome": "success",
        "imported": True,
        "started_at": at,
        "finished_at": at,
    }

    assert api.post(PATH, body).problem == "too-many-suites"


@pytest.mark.usefixtures("full")
def test_another_deployment_has_suites_of_its_own(api, given):
    again = given.a_deployment(FIRST)["id"]

    assert record(api, again, "another").status == 201


@pytest.mark.usefixtures("full")
def test_a_denial_has_the_first_blockers_and_says_if_there_are_more(api, given):
    missing = [f"required-{number}" for number in range(50)]
    given.sql("UPDATE environments SET required_suites = %s WHERE name = 'preproduction'", missing)
    rollout = {"environment": "preproduction", "artifact": FIRST}

    denied = api.as_("pipeline").post("/v1/systems/azul/deployments", rollout)
    promotion = api.get("/v1/systems/azul/promotions")["items"][0]

    assert (denied.problem, len(denied["blockers"]), denied["more_blockers"]) == ("promotion-denied", 100, True)
    assert (promotion["blockers"], promotion["more_blockers"]) == (denied["blockers"], True)


@pytest.mark.usefixtures("full")
def test_the_schema_refuses_more_blockers(api, given):
    api.post("/v1/systems/azul/promotions", {"environment": "preproduction", "artifact": FIRST})

    with pytest.raises(psycopg2.IntegrityError, match="promotions_blockers_are_few"):
        given.sql("UPDATE promotions SET blockers = blockers || blockers")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("promotions", {"environment": "preproduction", "dry_run": True}),
        ("deployments", {"environment": "preproduction"}),
        ("deployments", {"environment": "development", "kind": "rollback"}),
        ("verifications", {"suite": "another", "trigger": "manual", "outcome": "error"}),
    ],
)
@pytest.mark.parametrize("outcome", ["error", "failure"])
def test_the_cost_of_a_decision_does_not_grow_with_verifications(api, given, full, path, body, outcome):
    named = {"deployment": full} if path == "verifications" else {"artifact": FIRST}

    def read():
        with recorded() as exchanges:
            api.post(f"/v1/systems/azul/{path}", {**named, **body})
        [facts] = [each.message.split(";\n")[-1] for each in exchanges if "clock_timestamp() AS at" in each.message]
        return pages_read(given, facts)

    few = read()
    copy(given, "verifications", ", generate_series(1, 200)", outcome=f"'{outcome}'", finished_at="now()")

    assert read() < 3 * few  # the indexes have become deeper
