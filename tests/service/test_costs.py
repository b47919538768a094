"""Requests take few round trips to PostgreSQL."""

import pytest

from tools.checks.bench.exchanges import recorded

SYSTEM = "/v1/systems/azul"
ENVIRONMENTS = f"{SYSTEM}/environments"


def round_trips(request):
    with recorded() as exchanges:
        assert request().status < 300
    return len(exchanges)


@pytest.mark.parametrize(
    "path", [SYSTEM, f"{ENVIRONMENTS}/development", "/v1/systems", ENVIRONMENTS, "/v1/audit-events"]
)
def test_reading_one_resource_or_a_page_is_one_round_trip(api, given, path):
    given.the_usual()

    assert round_trips(lambda: api.get(path)) == 1


@pytest.fixture(params=["local", "person"])
def maintainer(request, api, given):
    """A maintainer of each kind of issuer."""
    given.a_system()
    return {"local": api.as_("maintainer"), "person": api.as_member("azul-maintainers")}[request.param]


def test_creating_an_environment_is_three_round_trips_with_its_key(maintainer):
    body = {"name": "development", "rank": 1}

    assert round_trips(lambda: maintainer.post(ENVIRONMENTS, body, idempotency_key="once")) <= 3


def test_changing_an_environment_is_three_round_trips(maintainer, given):
    given.an_environment()

    assert round_trips(lambda: maintainer.patch(f"{ENVIRONMENTS}/development", {"rank": 2}, if_match="*")) <= 3


def test_a_read_by_a_run_takes_one_more_round_trip_for_its_publishers(api, given):
    given.the_usual()
    given.a_publisher()

    assert round_trips(lambda: api.as_run().get("/v1/systems/azul")) == 2


def test_begin_and_commit_count_as_statements(api, given):
    with recorded() as exchanges:
        given.a_system()

    # The service sends BEGIN together with the first statement, and COMMIT together with the audit event.
    assert [exchange.statements for exchange in exchanges] == [2, 2]
