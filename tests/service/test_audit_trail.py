"""Every write leaves an audit event, in the same transaction."""

from pathlib import Path

import msgspec
import pytest

from chalicelib.database.roles import APP
from chalicelib.rest import audit
from tests.support.claims import ISSUER, RUN_SUBJECT
from tests.support.operations import OPERATIONS, route_of
from tests.support.sample import A_DENIED_VOYAGE, A_REFUSED_VOYAGE, A_VOYAGE, VOYAGES
from tests.support.writes import CHANGES, WRITES, everything, new_events, require_all, send

ROOT = Path(__file__).parents[2]


def test_every_write_of_the_api_is_in_the_table():
    require_all()


def test_one_statement_writes_all_events():
    code = "".join(file.read_text() for file in (ROOT / "chalicelib").rglob("*.py"))

    assert code.count("INSERT INTO audit_events") == 1


@pytest.mark.parametrize("route", WRITES)
def test_a_write_leaves_one_audit_event(api, given, route):
    write = WRITES[route](given)
    (last,) = given.sql("SELECT coalesce(max(id), 0) FROM audit_events")

    answer = send(api, route, write)

    assert answer.status < 300
    resource = write.resource.format(id=answer["id"]) if "{id}" in write.resource else write.resource
    system = "azul" if resource.startswith("azul") else None
    assert given.sql(
        """
        SELECT system_key, issuer, principal, action, resource, request_id, now() - at < interval '1 minute'
        FROM audit_events WHERE id > %s
        """,
        *last,
    ) == [(system, ISSUER, "admin@local", _action(route), resource, answer.headers["X-Request-Id"], True)]


@pytest.mark.parametrize("route", [route for route in WRITES if not route.startswith("DELETE")])
def test_an_audit_event_has_the_state_after(api, given, route):
    answer = send(api, route, WRITES[route](given))

    ((after,),) = given.sql("SELECT after FROM audit_events ORDER BY id DESC LIMIT 1")

    assert after.items() <= answer.json.items()


@pytest.mark.parametrize("route", CHANGES)
def test_an_audit_event_has_the_state_before(api, given, route):
    write = WRITES[route](given)
    was = api.get(write.path).json

    answer = send(api, route, write)

    became = answer.json if answer.body else None
    changed = was if became is None else {name: was[name] for name in was if was[name] != became[name]}
    assert changed, f"{route} changes nothing: send another value in its entry of `writes`"
    assert given.sql("SELECT before FROM audit_events ORDER BY id DESC LIMIT 1") == [(changed,)]


def test_an_audit_event_of_a_change_has_only_the_changed_fields(api, given):
    given.the_usual()

    api.patch("/v1/systems/azul", {"name": "Blue", "description": ""}, if_match="*")
    api.patch("/v1/systems/azul/environments/development", {"rank": 1}, if_match="*")

    events = given.sql("SELECT before, after FROM audit_events WHERE action LIKE '%%.change' ORDER BY id")
    assert events == [({"name": "Azul"}, {"name": "Blue"}), ({}, {})]


@pytest.mark.parametrize(("most", "is_cut"), [(audit.MOST_BYTES, False), (32 * 1024, True)])
def test_only_values_that_are_too_long_for_the_trail_are_cut(given, monkeypatch, most, is_cut):
    monkeypatch.setattr(audit, "MOST_BYTES", most)
    given.a_system()
    environments = {f"environment-{number}": "\U0001f600" * 255 for number in range(50)}
    for rank, name in enumerate(environments, start=1):
        given.an_environment(name, rank=rank)

    publisher = given.a_publisher(environments=environments).json

    [(event,)] = given.sql("SELECT after FROM audit_events WHERE action = 'publisher.create'")
    cut = {"cut_bytes": len(msgspec.json.encode(publisher["environments"]))}
    assert event == {**publisher, **({"environments": cut} if is_cut else {})}


@pytest.mark.parametrize("route", WRITES)
def test_a_write_whose_audit_event_fails_has_no_effect(api, given, route):
    write = WRITES[route](given)
    given.sql("ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    before = everything(given)

    answer = send(api, route, write, **({"idempotency_key": "one"} if route.startswith("POST") else {}))

    assert answer.status == 500
    assert everything(given) == before


@pytest.mark.parametrize("route", WRITES)
def test_a_forbidden_write_leaves_only_an_event_of_its_refusal(api, given, route):
    write = WRITES[route](given)
    before = everything(given)

    answer = send(api.as_("viewer"), route, write)

    assert answer.status == 403
    (refusal,) = new_events(given, before)
    assert refusal == (
        "viewer@local",
        _action(route),
        _resource(write.path),
        None,
        None,
        "forbidden",
        answer["instance"],
    )


@pytest.mark.parametrize("route", CHANGES)
def test_a_stale_write_leaves_only_an_event_of_its_refusal(api, given, route):
    write = WRITES[route](given)
    before = everything(given)

    answer = send(api, route, write, if_match='"stale"')

    assert answer.status == 412
    (refusal,) = new_events(given, before)
    assert refusal[1:6] == (_action(route), _resource(write.path), None, None, "precondition-failed")


@pytest.mark.parametrize("route", WRITES)
def test_invalid_requests_and_unknown_callers_leave_nothing(api, given, route):
    write = WRITES[route](given)
    method = route.partition(" ")[0]
    before = everything(given)

    answers = [
        api.as_(None).send(method, write.path, write.body),
        api.as_("admin", exp=1).send(method, write.path, write.body),
        send(api.as_run(repository_id="75"), route, write),
        send(api.as_member(), route, write),
        api.send(method, f"{write.path}?colour=blue", write.body, {"if_match": "*"}),
        *([api.send(method, write.path, "{", {"if_match": "*"})] if write.body else []),
        *([api.send(method, write.path, write.body)] if method in ("PATCH", "DELETE") else []),
    ]

    assert {answer.status for answer in answers} <= {400, 401, 403, 422, 428}
    assert everything(given) == before


def test_a_replayed_answer_leaves_nothing(api, given):
    body = {"key": "azul", "name": "Azul"}
    api.post("/v1/systems", body, idempotency_key="one")
    before = everything(given)

    api.post("/v1/systems", body, idempotency_key="one")

    assert everything(given) == before


def test_a_write_that_a_rule_refuses_leaves_only_an_event_of_its_refusal(given, sample):
    given.the_usual()
    before = everything(given)

    answer = sample.post(VOYAGES, A_REFUSED_VOYAGE)

    assert answer.problem == "icebound"
    ((*_, refusal, _),) = new_events(given, before)
    assert refusal == "icebound"


def test_a_write_whose_problem_is_returned_leaves_its_event_and_the_refusal(given, sample):
    given.the_usual()
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    denied = sample.post(VOYAGES, A_DENIED_VOYAGE)

    assert denied.problem == "icebound"
    [voyage] = sample.get(VOYAGES)["items"]
    assert given.sql(
        "SELECT action, after, refusal, request_id FROM audit_events WHERE id > %s ORDER BY id", *last
    ) == [
        ("voyage.begin", voyage, None, denied["instance"]),
        ("voyage.begin", None, "icebound", denied["instance"]),
    ]


def test_a_write_to_an_unknown_resource_leaves_nothing(api, given):
    given.a_system()
    before = everything(given)

    assert api.patch("/v1/systems/green", {"name": "Green"}, if_match="*").status == 404
    assert everything(given) == before


@pytest.mark.parametrize("subject", ["viewer@local", "a\0b"], ids=["a missing right", "a subject with a NUL"])
def test_a_refusal_that_cannot_be_recorded_is_logged_and_still_answered(api, given, log, subject):
    given.a_system()
    if subject == "viewer@local":
        given.sql(f"REVOKE INSERT (refusal) ON audit_events FROM {APP}")
    log.clear()

    answer = api.as_("viewer", sub=subject).patch("/v1/systems/azul", {}, if_match="*")

    assert answer.problem == "forbidden"
    assert [line["request_id"] for line in log if line["message"] == "refusal not recorded"] == [answer["instance"]]


@pytest.mark.parametrize("system", ["a%00b", "%F0%9F%98%80", "'; DROP TABLE audit_events; --", "a" * 3000])
def test_a_refusal_is_recorded_for_any_address(api, given, system):
    before = everything(given)

    assert api.as_("viewer").patch(f"/v1/systems/{system}", {}, if_match="*").status == 403

    ((*_, refusal, _),) = new_events(given, before)
    assert refusal == "forbidden"
    assert given.sql("SELECT system_key, length(resource) <= 500 FROM audit_events") == [(None, True)]


def test_a_refusal_is_recorded_for_an_address_that_is_no_valid_text(api, given):
    before = everything(given)

    answer = api.as_("viewer").send(
        "PATCH", "/v1/systems/azul", {}, {"if_match": "*"}, {"pathParameters": {"system": "\ud800"}}
    )

    assert answer.status == 403
    ((_, _, resource, *_),) = new_events(given, before)
    assert resource == "\\ud800"


def test_writes_that_the_database_refuses_leave_only_events_of_their_refusals(api, given):
    given.the_usual()
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
    ]

    assert {answer.status for answer in refused} == {409}
    assert [(event[5], event[6]) for event in new_events(given, before)] == [
        (answer.problem, answer["instance"]) for answer in refused
    ]


def test_an_audit_event_names_the_caller(api, given):
    given.a_system()

    api.as_("maintainer", sub="jane@example.org").patch("/v1/systems/azul", {"name": "Blue"}, if_match="*")

    assert given.sql("SELECT issuer, principal FROM audit_events ORDER BY id DESC LIMIT 1") == [
        (ISSUER, "jane@example.org")
    ]


def test_a_pipeline_cannot_choose_its_name_in_the_audit_trail(given, sample):
    given.a_system_with_an_environment()
    given.a_publisher()

    sample.as_run(sub="repo:acme/shop:ref:refs/heads/main").post(VOYAGES, A_VOYAGE)
    sample.as_run(sub="repo:acme/shop:ref:refs/heads/main").post(VOYAGES, {**A_VOYAGE, "environment": "production"})

    assert given.sql("SELECT principal, refusal FROM audit_events ORDER BY id DESC LIMIT 2") == [
        (RUN_SUBJECT, "forbidden"),
        (RUN_SUBJECT, None),
    ]


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET principal = 'nobody'", "DELETE FROM audit_events"])
def test_an_audit_event_never_changes(given, statement):
    given.a_system()

    with pytest.raises(Exception, match="audit_events never changes"):
        given.sql(statement)

    assert given.sql("SELECT principal FROM audit_events") == [("admin@local",)]


# Personal data and secrets stay out of the audit trail.


def test_it_holds_no_token_and_no_personal_data(api, given, sample):
    given.the_usual()
    given.a_publisher()
    run = sample.as_run(actor="jane-doe", actor_id="1234567", email="jane@example.org", jti="secret-jti")
    person = api.as_member("azul-maintainers", username="jane-doe", email="jane@example.org", jti="secret-jti")

    run.post(VOYAGES, A_REFUSED_VOYAGE)
    assert run.post(VOYAGES, A_VOYAGE)["run_actor"] == "jane-doe"
    person.patch("/v1/systems/azul", {"name": "Blue"}, if_match="*")
    person.delete("/v1/systems/azul", if_match="*")

    told = " ".join(text for (text,) in given.sql("SELECT to_jsonb(each)::text FROM audit_events AS each"))
    assert "voyage.begin" in told
    for private in ("jane", "1234567", "secret-jti", "Bearer"):
        assert private not in told


def _action(route):
    return next(each.action for each in OPERATIONS if route_of(each) == route)


def _resource(path):
    return path.removeprefix("/v1/").removeprefix("systems/")
