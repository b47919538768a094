"""Every write leaves an audit event, in the transaction of what it tells of."""

import pytest

from tests.support.claims import ISSUER
from tests.support.given import an_artifact
from tests.support.writes import WRITES, declared_writes, everything, send


def test_every_write_of_the_api_is_walked_here():
    missing = declared_writes() - WRITES.keys()
    gone = WRITES.keys() - declared_writes()

    assert not missing, f"add to WRITES, in tests/support/writes.py: {', '.join(sorted(missing))}"
    assert not gone, f"remove from WRITES, in tests/support/writes.py: {', '.join(sorted(gone))}"


@pytest.mark.parametrize("route", WRITES)
def test_a_write_leaves_one_audit_event(api, given, route):
    write = WRITES[route](given)
    (last,) = given.sql("SELECT coalesce(max(id), 0) FROM audit_events")

    answer = send(api, route, write)

    assert answer.status < 300
    resource = write.resource.format(id=answer["id"]) if "{id}" in write.resource else write.resource
    assert given.sql(
        """
        SELECT system_key, issuer, principal, action, resource, request_id, now() - at < interval '1 minute'
        FROM audit_events WHERE id > %s
        """,
        *last,
    ) == [("azul", ISSUER, "admin@local", write.action, resource, answer.headers["X-Request-Id"], True)]


@pytest.mark.parametrize("route", [route for route in WRITES if not route.startswith("DELETE")])
def test_an_audit_event_tells_what_became(api, given, route):
    answer = send(api, route, WRITES[route](given))

    ((after,),) = given.sql("SELECT after FROM audit_events ORDER BY id DESC LIMIT 1")

    assert after.items() <= answer.json.items()


@pytest.mark.parametrize("route", [route for route in WRITES if route.startswith(("PATCH", "DELETE"))])
def test_an_audit_event_tells_what_was(api, given, route):
    write = WRITES[route](given)
    was = api.get(write.path).json

    send(api, route, write)

    assert given.sql("SELECT before FROM audit_events ORDER BY id DESC LIMIT 1") == [(was,)]


@pytest.mark.parametrize("route", WRITES)
def test_what_leaves_no_audit_event_does_not_happen(api, given, route):
    write = WRITES[route](given)
    given.sql("ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    before = everything(given)

    answer = send(api, route, write, **({"idempotency_key": "one"} if route.startswith("POST") else {}))

    assert answer.status == 500
    assert everything(given) == before


@pytest.mark.parametrize("route", WRITES)
def test_a_write_that_is_not_allowed_leaves_nothing(api, given, route):
    write = WRITES[route](given)
    before = everything(given)

    answer = send(api.as_("viewer"), route, write)

    assert answer.status == 403
    assert everything(given) == before


def test_a_write_that_the_database_refuses_leaves_nothing(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")
    path = "/v1/systems/azul/environments"
    account = {"aws_account_id": "111122223333"}
    given.an_environment("live", rank=4, production=True, **account)
    before = everything(given)

    refused = [
        api.post("/v1/systems", {"key": "azul", "name": "Again"}),
        api.post(path, {"name": "development", "rank": 7}),
        api.post(path, {"name": "testing", "rank": 7, **account}),
        api.patch(f"{path}/preproduction", {"rank": 1}, if_match="*"),
        api.patch(f"{path}/preproduction", account, if_match="*"),
        api.delete(f"{path}/development", if_match="*"),
        api.delete("/v1/systems/azul", if_match="*"),
        api.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact("other")}),
    ]

    assert {answer.status for answer in refused} == {409}
    assert everything(given) == before


def test_a_stale_write_leaves_nothing(api, given):
    given.the_usual()
    before = everything(given)

    for path in ("/v1/systems/azul", "/v1/systems/azul/environments/development"):
        assert api.patch(path, {}, if_match='"stale"').status == 412
        assert api.delete(path, if_match='"stale"').status == 412

    assert everything(given) == before


def test_a_dry_run_leaves_nothing(api, given):
    given.the_usual()
    before = everything(given)

    api.post("/v1/systems/azul/promotions", {"environment": "production", "artifact": an_artifact(), "dry_run": True})

    assert everything(given) == before


def test_a_deployment_that_the_gate_denies_leaves_the_denial(api, given):
    given.the_usual()
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    denied = api.post("/v1/systems/azul/deployments", {"environment": "production", "artifact": an_artifact()})

    assert denied.problem == "promotion-denied"
    ((action, after, request_id),) = given.sql(
        "SELECT action, after, request_id FROM audit_events WHERE id > %s", *last
    )
    assert (action, after["decision"], request_id) == ("promotion.decide", "denied", denied["instance"])
    assert after == api.get("/v1/systems/azul/promotions")["items"][0]


def test_who_asked_is_who_is_recorded(api, given):
    given.the_usual()
    pipeline = api.as_("pipeline", sub="repo:azul:main")

    pipeline.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact()})

    assert given.sql("SELECT issuer, principal FROM audit_events ORDER BY id DESC LIMIT 1") == [
        (ISSUER, "repo:azul:main")
    ]


def test_a_lease_that_ran_out_is_ended_by_the_service_itself(api, given):
    given.the_usual()
    lapsed = given.a_deployment(state="in_progress", lease_seconds=60)["id"]
    given.time_passes(61)
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    opened = api.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact("other")})

    assert given.sql(
        "SELECT principal, action, resource, request_id FROM audit_events WHERE id > %s ORDER BY id", *last
    ) == [
        ("slipway", "deployment.lapse", f"azul/deployments/{lapsed}", opened.headers["X-Request-Id"]),
        ("admin@local", "deployment.open", f"azul/deployments/{opened['id']}", opened.headers["X-Request-Id"]),
    ]


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET principal = 'nobody'", "DELETE FROM audit_events"])
def test_an_audit_event_never_changes(given, statement):
    given.a_system()

    with pytest.raises(Exception, match="audit_events never changes"):
        given.sql(statement)

    assert given.sql("SELECT principal FROM audit_events") == [("admin@local",)]
