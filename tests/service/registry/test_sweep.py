"""The sweep ends expired leases, routes and workspaces. Concurrent sweeps end each record only once."""

import pytest

from chalicelib import NAME
from chalicelib.database.connection import lock_key
from chalicelib.sweep import schedule
from chalicelib.sweep.schedule import SweepIncomplete
from tests.service.deployments.records import an_artifact
from tests.service.test_sweep import sweep
from tests.support.given import ahead
from tests.support.races import at_once, held
from tests.support.writes import everything

SYSTEM = "/v1/systems/azul"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
NOTHING = {"deployments": 0, "routes": 0, "workspaces": 0, "idempotency_keys": 0}
DAY = 86400


@pytest.fixture
def over(api, given):
    """Make expired and unexpired records of each kind."""
    given.the_usual()
    given.a_deployment(state="in_progress", lease_seconds=60)
    given.a_workspace("old", expires_at=ahead(minutes=1))
    given.a_route("1", "old", until=ahead(seconds=50))
    given.a_workspace("new", expires_at=ahead(hours=71))
    given.a_route("2", "lapsed", until=ahead(seconds=50))
    given.a_route("2", "new", until=ahead(hours=70))
    api.post("/v1/systems", {"key": "blue", "name": "Blue"}, idempotency_key="old")
    given.time_passes(2 * DAY)
    given.a_deployment(state="in_progress", environment="preproduction", lease_seconds=60)
    api.post("/v1/systems", {"key": "green", "name": "Green"}, idempotency_key="new")


def test_it_ends_what_has_expired_and_nothing_else(given, over):
    assert sweep() == {"deployments": 1, "routes": 2, "workspaces": 1, "idempotency_keys": 1}

    assert given.sql("SELECT state, detail FROM deployments ORDER BY id") == [
        ("cancelled", "The lease expired"),
        ("in_progress", None),
    ]
    assert given.sql("SELECT name, state FROM workspaces ORDER BY id") == [("old", "expired"), ("new", "active")]
    assert given.sql("SELECT client FROM routes") == [("new",)]
    assert given.sql("SELECT key FROM idempotency_keys") == [("new",)]


def test_reads_are_the_same_before_and_after(api, over):
    paths = ["deployments", "deployments/1/statuses", "workspaces", "workspaces/1/routes", "workspaces/2/routes"]
    before = {path: api.get(f"{SYSTEM}/{path}").json for path in [*paths, "state"]}

    sweep()

    after = {path: api.get(f"{SYSTEM}/{path}").json for path in [*paths, "state"]}
    assert before["deployments/1/statuses"] != after["deployments/1/statuses"]
    del before["deployments/1/statuses"], after["deployments/1/statuses"]
    assert after == before


def test_the_audit_trail_names_the_service(given, over):
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    sweep("request-7")

    ours = ("azul", NAME, NAME)
    assert given.sql(
        """
        SELECT system_key, issuer, principal, action, resource, before, after, request_id
        FROM audit_events WHERE id > %s AND action <> 'route.lapse' ORDER BY id
        """,
        *last,
    ) == [
        (*ours, action, resource, {"state": was}, {"state": became}, "request-7")
        for action, resource, was, became in [
            ("deployment.lapse", "azul/deployments/1", "in_progress", "cancelled"),
            ("workspace.expire", "azul/workspaces/1", "active", "expired"),
        ]
    ]
    assert given.sql(
        """
        SELECT system_key, principal, resource, before ->> 'client', after, request_id
        FROM audit_events WHERE id > %s AND action = 'route.lapse' ORDER BY resource
        """,
        *last,
    ) == [
        ("azul", NAME, "azul/workspaces/1/routes/old", "old", None, "request-7"),
        ("azul", NAME, "azul/workspaces/2/routes/lapsed", "lapsed", None, "request-7"),
    ]


def test_a_second_sweep_changes_nothing(given, over):
    sweep()
    before = everything(given)

    assert sweep() == NOTHING
    assert everything(given) == before


def test_several_sweeps_at_once_do_everything_once(given, over):
    counts = at_once(sweep, sweep, sweep)

    assert {name: sum(each[name] for each in counts) for name in NOTHING} == {
        "deployments": 1,
        "routes": 2,
        "workspaces": 1,
        "idempotency_keys": 1,
    }
    assert given.sql("SELECT count(*) FROM audit_events WHERE principal = %s", NAME) == [(4,)]


def test_more_than_a_batch_takes_several(api, given, monkeypatch):
    monkeypatch.setattr(schedule, "BATCH", 2)
    monkeypatch.setattr(schedule, "KEYS_BATCH", 2)
    given.the_usual()
    for number in range(3):
        given.a_workspace(f"w{number}")
        given.a_deployment(an_artifact(str(number)), workspace=f"w{number}", state="in_progress")
        for client in range(3):
            given.a_route(str(number + 1), f"c{number}{client}")
        api.post("/v1/systems", {"key": f"s{number}", "name": "S"}, idempotency_key=str(number))
    given.time_passes(2 * DAY)

    assert sweep() == {"deployments": 3, "routes": 9, "workspaces": 3, "idempotency_keys": 3}
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


def test_a_status_that_comes_first_keeps_its_target(api, given, over, database_url):
    given.sql("UPDATE deployments SET lease_expires_at = now() + interval '1 second' WHERE id = 1")

    with held(database_url, LOCK) as hold:
        renewed = hold.waiting(lambda: api.post(f"{SYSTEM}/deployments/1/statuses", {"state": "in_progress"}))
        swept = hold.waiting(sweep)

    assert (renewed.result().status, swept.result()["deployments"]) == (201, 0)


def test_a_failure_in_one_system_does_not_stop_the_others(api, given, over, monkeypatch, log):
    given.an_environment(system="blue")
    given.a_deployment(system="blue", state="in_progress", lease_seconds=60)
    given.time_passes(61)
    expire = schedule.STEPS["workspaces"]

    def fail(db, system, limit, request_id):
        if system == "azul":
            raise ZeroDivisionError
        return expire.end(db, system, limit, request_id)

    monkeypatch.setitem(schedule.STEPS, "workspaces", expire._replace(end=fail))

    with pytest.raises(SweepIncomplete, match="system azul"):
        sweep("request-9")

    [failure] = [line for line in log if line["message"] == "not swept"]
    assert (failure["request_id"], failure["what"]) == ("request-9", "system azul")
    assert given.sql("SELECT state FROM deployments WHERE id IN (1, 3) ORDER BY id") == [
        ("in_progress",),
        ("cancelled",),
    ]
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(1,)]
