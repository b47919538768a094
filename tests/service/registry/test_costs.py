"""The most frequent requests of pipelines take few round trips to PostgreSQL."""

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.claims import RUN
from tools.checks.bench.exchanges import recorded

DEPLOYMENTS = "/v1/systems/azul/deployments"
VERIFICATION = {"deployment": "1", "suite": "acceptance", "trigger": "manual", "outcome": "success"}


def round_trips(request):
    with recorded() as exchanges:
        assert request().status < 300
    return len(exchanges)


def test_reading_a_page_of_deployments_is_one_round_trip(api, given):
    given.the_usual()
    given.a_deployment()

    assert round_trips(lambda: api.get(DEPLOYMENTS)) == 1


def test_reading_a_deployment_is_one_round_trip(api, given):
    given.the_usual()
    opened = given.a_deployment()["id"]

    assert round_trips(lambda: api.get(f"{DEPLOYMENTS}/{opened}")) == 1


def test_reading_a_verification_is_one_round_trip(api, given):
    given.the_usual()
    given.a_deployment()
    recorded_one = given.a_verification()["id"]

    assert round_trips(lambda: api.get(f"/v1/systems/azul/verifications/{recorded_one}")) == 1


@pytest.fixture(params=["local", "person", "run"])
def pipeline(request, api, given):
    """A pipeline of each kind of issuer.

    For a run, the statement that reads a stored answer also reads the publishers.
    """
    given.the_usual()
    given.a_publisher()
    return {
        "local": api.as_("pipeline"),
        "person": api.as_member("azul-pipelines"),
        "run": api.as_run(),
    }[request.param]


def test_opening_a_deployment_is_four_round_trips_with_its_key(pipeline):
    body = {"environment": "development", "artifact": an_artifact(), "revision": RUN["sha"]}

    assert round_trips(lambda: pipeline.post(DEPLOYMENTS, body, idempotency_key="once")) <= 4


def test_recording_a_status_is_three_round_trips(given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")["id"]

    assert round_trips(lambda: given.a_status(opened, "succeeded")) <= 3


def test_a_hold_and_its_release_are_three_round_trips_each(api, given):
    given.the_usual()
    holds = "/v1/systems/azul/holds"

    assert round_trips(lambda: api.post(holds, {"kind": "freeze", "reason": "Release week"})) == 3
    assert round_trips(lambda: api.post(f"{holds}/1/release", {"reason": "No longer needed"})) == 3


def test_an_approval_and_its_withdrawal_are_three_round_trips_each(api, given):
    given.the_usual()
    approvals = "/v1/systems/azul/approvals"

    assert round_trips(lambda: api.post(approvals, {"environment": "production", "artifact": an_artifact()})) == 3
    assert round_trips(lambda: api.post(f"{approvals}/1/withdraw", {})) == 3


def test_recording_a_verification_is_four_round_trips_with_its_key(pipeline, given):
    given.a_deployment()

    assert (
        round_trips(lambda: pipeline.post("/v1/systems/azul/verifications", VERIFICATION, idempotency_key="once")) <= 4
    )
