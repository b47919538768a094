"""Systems and environments that have records stay."""

import pytest

from tests.service.deployments.records import an_artifact

PATH = "/v1/systems/azul"


def _deploys(given):
    given.a_deployment(state="in_progress")


def _promotes(given):
    answer = given._api.post("/v1/systems/azul/promotions", {"artifact": an_artifact(), "environment": "development"})
    assert answer.status == 200


def _holds(given):
    given.a_freeze("development")


def _approves(given):
    given.an_approval(an_artifact())


@pytest.mark.parametrize("record", [_deploys, _promotes, _holds, _approves])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/environments/development"])
def test_a_system_with_history_cannot_be_deleted(api, given, path, record):
    given.the_usual()
    record(given)

    answer = api.delete(path, if_match="*")

    assert (answer.status, answer.problem) == (409, "has-history")
    assert api.get(path).status == 200
    assert len(api.get(f"{PATH}/environments")["items"]) == 3
