"""The suites that verify an artifact on a target are few, because the state and the gate list a result of each."""

import psycopg2
import pytest

from chalicelib.verifications.model import MOST_SUITES
from tests.service.deployments.records import an_artifact
from tests.support.largest import copy
from tools.checks.bench.exchanges import recorded

PATH = "/v1/systems/azul/verifications"
FIRST, SECOND = an_artifact("first"), an_artifact("second")


@pytest.fixture
def full(given):
    """A target whose current artifact was verified by as many suites as possible."""
    given.the_usual()
    given.a_deployment(FIRST)
    given.a_verification(suite="suite-1", outcome="failure")
    copy(given, "verifications", f", generate_series(2, {MOST_SUITES}) AS n", suite="'suite-' || n")


def record(api, suite, **fields):
    body = {"environment": "development", "suite": suite, "trigger": "manual", "outcome": "success", **fields}
    return api.as_("maintainer").post(PATH, body)


def imported(artifact):
    at = "2026-01-01T00:00:00Z"
    return {"imported": True, "artifact": artifact, "started_at": at, "finished_at": at}


@pytest.mark.usefixtures("full")
def test_one_more_suite_is_refused(api):
    refused = record(api, "another")

    assert (refused.status, refused.problem) == (409, "too-many-suites")
    assert len(api.get("/v1/systems/azul/state")["targets"][0]["verifications"]) == MOST_SUITES


@pytest.mark.usefixtures("full")
def test_the_same_suites_may_run_again(api):
    assert record(api, "suite-1").status == 201
    assert record(api, f"suite-{MOST_SUITES}").status == 201


@pytest.mark.usefixtures("full")
def test_an_import_of_one_more_suite_is_refused(api):
    assert record(api, "another", **imported(FIRST)).problem == "too-many-suites"
    assert record(api, "another", **imported(SECOND)).status == 201


@pytest.mark.usefixtures("full")
def test_another_artifact_and_another_target_have_suites_of_their_own(api, given):
    given.a_deployment(FIRST, environment="preproduction")
    assert record(api, "another", environment="preproduction").status == 201

    given.a_deployment(SECOND)
    assert record(api, "another").status == 201


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


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("promotions", {"environment": "preproduction", "dry_run": True}),
        ("deployments", {"environment": "preproduction"}),
        ("deployments", {"environment": "development", "kind": "rollback"}),
        ("verifications", {"environment": "development", "suite": "another", "trigger": "manual", "outcome": "error"}),
    ],
)
@pytest.mark.parametrize("outcome", ["error", "failure"])
def test_the_cost_of_a_decision_does_not_grow_with_verifications(api, given, path, body, outcome):
    def read():
        """Return how many pages of tables and indexes PostgreSQL reads for the facts of the request."""
        given.sql("VACUUM ANALYZE")
        with recorded() as exchanges:
            api.post(f"/v1/systems/azul/{path}", {"artifact": FIRST, **body})
        [facts] = [each.message.split(";\n")[-1] for each in exchanges if "clock_timestamp() AS at" in each.message]
        [(plan,)] = given.sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {facts}")
        return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]

    few = read()
    copy(given, "verifications", ", generate_series(1, 200)", outcome=f"'{outcome}'", finished_at="now()")

    assert read() < 3 * few  # the indexes have become deeper
