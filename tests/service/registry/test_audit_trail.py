"""The audit trail of the registry's own writes."""

from chalicelib import NAME
from tests.service.deployments.records import an_artifact
from tests.support.writes import everything, new_events


def test_an_import_has_an_action_of_its_own(api, given):
    given.the_usual()

    given.an_import()

    assert given.sql("SELECT action FROM audit_events ORDER BY id DESC LIMIT 1") == [("deployment.import",)]


def test_a_dry_run_leaves_nothing(api, given):
    given.the_usual()
    before = everything(given)

    api.post("/v1/systems/azul/promotions", {"environment": "production", "artifact": an_artifact(), "dry_run": True})

    assert everything(given) == before


def test_a_denied_deployment_leaves_the_decision_and_the_refusal(api, given):
    given.the_usual()
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    denied = api.post("/v1/systems/azul/deployments", {"environment": "production", "artifact": an_artifact()})

    assert denied.problem == "promotion-denied"
    (decision, refusal) = given.sql(
        "SELECT action, after, refusal, request_id FROM audit_events WHERE id > %s ORDER BY id", *last
    )
    action, after, *rest = decision
    assert (action, after["decision"], rest) == ("promotion.decide", "denied", [None, denied["instance"]])
    assert refusal == ("deployment.open", None, "promotion-denied", denied["instance"])
    assert after == api.get("/v1/systems/azul/promotions")["items"][0]


def test_an_expired_lease_is_ended_in_the_services_own_name(api, given):
    given.the_usual()
    lapsed = given.a_deployment(state="in_progress", lease_seconds=60)["id"]
    given.time_passes(61)
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    opened = api.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact("other")})

    assert given.sql(
        "SELECT principal, action, resource, request_id FROM audit_events WHERE id > %s ORDER BY id", *last
    ) == [
        (NAME, "deployment.lapse", f"azul/deployments/{lapsed}", opened.headers["X-Request-Id"]),
        ("admin@local", "deployment.open", f"azul/deployments/{opened['id']}", opened.headers["X-Request-Id"]),
    ]


def test_a_write_that_a_rule_refuses_leaves_only_an_event_of_its_refusal(api, given):
    given.the_usual()
    before = everything(given)

    answer = api.post(
        "/v1/systems/azul/deployments",
        {"environment": "development", "artifact": an_artifact(), "kind": "rollback"},
    )

    assert (answer.status, answer.problem) == (422, "rollback-refused")
    ((*_, refusal, _),) = new_events(given, before)
    assert refusal == "rollback-refused"


def test_writes_that_the_database_refuses_leave_only_events_of_their_refusals(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")
    before = everything(given)

    refused = [
        api.delete("/v1/systems/azul/environments/development", if_match="*"),
        api.delete("/v1/systems/azul", if_match="*"),
        api.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact("other")}),
    ]

    assert {answer.status for answer in refused} == {409}
    assert [(event[5], event[6]) for event in new_events(given, before)] == [
        (answer.problem, answer["instance"]) for answer in refused
    ]


def test_it_holds_no_token_and_no_personal_data(api, given):
    given.the_usual()
    given.a_publisher()
    given.a_deployment(an_artifact("before"))
    run = api.as_run(actor="jane-doe", actor_id="1234567", email="jane@example.org", jti="secret-jti")
    person = api.as_member("azul-maintainers", username="jane-doe", email="jane@example.org", jti="secret-jti")

    run.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact()})
    run.post(
        "/v1/systems/azul/deployments",
        {"environment": "development", "artifact": an_artifact(), "revision": run.claims["sha"]},
    )
    person.patch("/v1/systems/azul", {"name": "Blue"}, if_match="*")
    person.delete("/v1/systems/azul", if_match="*")

    told = " ".join(text for (text,) in given.sql("SELECT to_jsonb(each)::text FROM audit_events AS each"))
    assert "deployment.open" in told
    for private in ("jane", "1234567", "secret-jti", "Bearer"):
        assert private not in told
