"""Idempotency-Key: a repeated POST takes effect once, and gets the same answer."""

import json

import pytest

from tests.support.races import at_once, held
from tests.support.sample import A_DENIED_VOYAGE, A_VOYAGE, VOYAGES
from tests.support.writes import POSTS, WRITES, everything, send

DAY_SECONDS = 24 * 3600
AZUL = {"key": "azul", "name": "Azul"}


@pytest.mark.parametrize("route", POSTS)
def test_a_retry_gets_the_same_answer_and_changes_nothing(api, given, route):
    write = WRITES[route](given)
    first = send(api, route, write, idempotency_key="one")
    before = everything(given)

    second = send(api, route, write, idempotency_key="one")

    assert first.status < 300
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert (second.status, second.body) == (first.status, first.body)
    assert _without(second.headers, "X-Request-Id", "Idempotency-Replayed") == _without(first.headers, "X-Request-Id")
    assert everything(given) == before


@pytest.mark.parametrize("route", POSTS)
def test_a_key_cannot_be_used_for_another_body(api, given, route):
    write = WRITES[route](given)
    send(api, route, write, idempotency_key="one")
    before = everything(given)

    answer = send(api, route, write._replace(body=write.other_body), idempotency_key="one")

    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")
    assert everything(given) == before


def test_bodies_with_the_same_values_are_the_same(api):
    api.post("/v1/systems", '{"key": "azul", "name": "Azul"}', idempotency_key="one")

    spaced = api.post("/v1/systems", '\n{"name" : "\\u0041zul", "key":"azul"}', idempotency_key="one")
    with_default = api.post("/v1/systems", json.dumps({**AZUL, "description": ""}), idempotency_key="one")

    assert spaced.headers["Idempotency-Replayed"] == "true"
    assert with_default.headers["Idempotency-Replayed"] == "true"


def test_a_refusal_is_evaluated_again(api, given):
    body = {"name": "development", "rank": 1}
    refused = api.post("/v1/systems/azul/environments", body, idempotency_key="one")
    given.a_system()

    created = api.post("/v1/systems/azul/environments", body, idempotency_key="one")

    assert (refused.status, created.status) == (404, 201)
    assert "Idempotency-Replayed" not in created.headers


def test_a_refusal_that_was_recorded_is_evaluated_again_too(sample, given):
    given.a_system_with_an_environment()

    denied = [sample.post(VOYAGES, A_DENIED_VOYAGE, idempotency_key="one") for _ in range(2)]
    begun = sample.post(VOYAGES, A_VOYAGE, idempotency_key="one")

    assert [answer.problem for answer in denied] == ["icebound", "icebound"]
    assert begun.status == 201
    assert given.sql("SELECT ship FROM voyages ORDER BY id") == [("maud",), ("maud",), ("fram",)]


def test_after_a_refusal_the_key_can_be_used_for_another_body(api, given):
    given.a_system("blue")
    api.post("/v1/systems", {"key": "blue", "name": "Blue"}, idempotency_key="one")

    assert api.post("/v1/systems", AZUL, idempotency_key="one").status == 201


def test_a_key_belongs_to_its_principal(api, given):
    given.a_system()
    body = {"name": "development", "rank": 1}
    api.post("/v1/systems/azul/environments", body, idempotency_key="one")

    somebody_else = api.as_("admin", sub="somebody@else")
    answer = somebody_else.post("/v1/systems/azul/environments", {**body, "rank": 2}, idempotency_key="one")

    assert answer.problem == "already-exists"


@pytest.mark.parametrize("claims", [{"repository_id": "75"}, {"run_id": "4712"}], ids=["repository", "run"])
def test_a_pipelines_key_belongs_to_its_repository_and_run_whatever_its_subject(given, sample, claims):
    given.a_system_with_an_environment()
    given.a_publisher()
    given.a_publisher(repository_id="75")
    customised = {"sub": "the same for all repositories"}
    first = sample.as_run(**customised).post(VOYAGES, A_VOYAGE, idempotency_key="one")

    another = sample.as_run(**customised, **claims).post(VOYAGES, A_VOYAGE, idempotency_key="one")
    retry = sample.as_run(sub="another", run_attempt="2").post(VOYAGES, A_VOYAGE, idempotency_key="one")

    assert (another.status, another["id"] == first["id"]) == (201, False)
    assert (retry.headers["Idempotency-Replayed"], retry.body) == ("true", first.body)


def test_a_key_belongs_to_its_address(api, given):
    given.a_system("azul")
    given.a_system("blue")
    body = {"name": "development", "rank": 1}

    first = api.post("/v1/systems/azul/environments", body, idempotency_key="one")
    second = api.post("/v1/systems/blue/environments", body, idempotency_key="one")

    assert (first.status, second.status) == (201, 201)
    assert second.headers["Location"] == "/v1/systems/blue/environments/development"
    assert "Idempotency-Replayed" not in second.headers


def test_a_caller_without_the_right_gets_no_stored_answer(api):
    api.post("/v1/systems", AZUL, idempotency_key="one")

    answer = api.as_("viewer", sub="admin@local").post("/v1/systems", AZUL, idempotency_key="one")

    assert answer.status == 403


def test_without_a_key_a_repeated_request_is_a_new_one(api):
    api.post("/v1/systems", AZUL)

    assert api.post("/v1/systems", AZUL).problem == "already-exists"


def test_a_key_is_kept_for_a_day(api, given):
    api.post("/v1/systems", AZUL, idempotency_key="one")

    given.time_passes(DAY_SECONDS - 60)

    assert api.post("/v1/systems", AZUL, idempotency_key="one").headers["Idempotency-Replayed"] == "true"


def test_after_a_day_a_key_is_new(api, given):
    api.post("/v1/systems", AZUL, idempotency_key="one")
    given.time_passes(DAY_SECONDS + 1)
    body = {"key": "blue", "name": "Blue"}

    answer = api.post("/v1/systems", body, idempotency_key="one")
    retry = api.post("/v1/systems", body, idempotency_key="one")

    assert answer.status == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert (retry.headers["Idempotency-Replayed"], retry.body) == ("true", answer.body)


@pytest.mark.parametrize("route", POSTS)
def test_two_requests_with_one_key_at_once_have_one_effect(api, given, route):
    write = WRITES[route](given)
    (before,) = given.sql("SELECT count(*) FROM audit_events")

    answers = at_once(*[lambda: send(api, route, write, idempotency_key="one")] * 2)

    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True]
    assert given.sql("SELECT count(*) FROM audit_events") == [(before[0] + 1,)]


def test_the_second_request_waits_for_the_answer_to_the_first(api, given, database_url):
    given.a_system()
    body = {"name": "development", "rank": 1}

    # The first request holds the lock of the key, and waits for the system. The second request waits for that lock.
    with held(database_url, "SELECT FROM systems FOR UPDATE") as hold:
        first, second = (
            hold.waiting(lambda: api.post("/v1/systems/azul/environments", body, idempotency_key="one"))
            for _ in range(2)
        )
        assert not first.done()
        assert not second.done()

    assert (first.result().status, second.result().status) == (201, 201)
    assert "Idempotency-Replayed" in second.result().headers


@pytest.mark.parametrize("key", ["", " ", "one two", "k" * 256, "kéy", "key\n"])
def test_a_bad_key_is_refused(api, key):
    answer = api.post("/v1/systems", AZUL, idempotency_key=key)

    assert (answer.status, answer.problem) == (400, "malformed")
    assert api.get("/v1/systems")["items"] == []


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_a_key_may_be_any_visible_ascii(api, key):
    assert api.post("/v1/systems", AZUL, idempotency_key=key).status == 201


def _without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}
