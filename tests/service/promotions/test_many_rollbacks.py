"""Many rollbacks in one environment make no decision slow: their number is bounded, and each is looked up."""

import pytest

from chalicelib.promotions import store
from chalicelib.targets.store import MOST_ROLLBACKS
from tests.service.deployments.records import an_artifact
from tests.support.growth import pages_read
from tests.support.largest import copy

OLD, NEW = an_artifact("old"), an_artifact("new")
PATH = "/v1/systems/azul/deployments"


@pytest.fixture
def one(given):
    """A rollback in preproduction to the artifact that runs there. It went back behind nothing."""
    given.the_usual()
    given.an_import(OLD, environment="preproduction", at="2020-01-01T00:00:00Z")
    given.an_import(NEW, at="2020-01-02T00:00:00Z")
    given.an_import(NEW, environment="preproduction", at="2020-01-02T00:00:00Z")
    return given.an_import(NEW, environment="preproduction", at="2020-01-03T00:00:00Z", kind="rollback")["id"]


def repeat(given, one: str, first: int, last: int) -> None:
    moment = "'2020-02-01'::timestamptz + n * '1 minute'::interval"
    numbers = f", generate_series({first}, {last}) AS n WHERE t.id = {one}"
    copy(given, "deployments", numbers, started_at=moment, finished_at=moment)
    given.sql("ANALYZE")


@pytest.mark.parametrize("more", [False, True])
def test_after_too_many_rollbacks_an_artifact_counts_as_rolled_back(api, given, one, more):
    repeat(given, one, 2, MOST_ROLLBACKS + more)

    asked = {"artifact": NEW, "environment": "preproduction", "dry_run": True}
    codes = [each["code"] for each in api.post("/v1/systems/azul/promotions", asked)["blockers"]]
    rollback = api.post(PATH, {"artifact": OLD, "environment": "preproduction", "kind": "rollback"})

    assert codes == [*(["rolled-back"] if more else []), "not-verified"]
    assert rollback.status == (422 if more else 201)


def test_another_deployment_helps(api, given, one):
    repeat(given, one, 2, MOST_ROLLBACKS + 1)

    given.a_deployment(NEW)

    asked = {"artifact": NEW, "environment": "preproduction", "dry_run": True}
    blockers = api.post("/v1/systems/azul/promotions", asked)["blockers"]
    assert [each["code"] for each in blockers] == ["not-verified"]


@pytest.mark.slow
def test_the_cost_of_a_decision_does_not_grow_with_rollbacks(given, one):
    repeat(given, one, 2, 200)
    few = read(given)
    repeat(given, one, 201, 1000)

    assert read(given) < 1.5 * few


def read(given) -> int:
    """Ask for the facts with the plan that the service uses."""
    facts = store._FACTS
    values = {"system": "'azul'", "environment": "'preproduction'", "artifact": f"'{NEW}'"}
    executed = f"EXECUTE {facts.name} ({', '.join(values[name] for name in facts.parameters)})"
    return pages_read(given, executed, f"SET plan_cache_mode = force_generic_plan; {facts.definition};")
