"""Concurrent requests: a repeated request takes effect once, and the records agree on which request came first."""

import pytest

from chalicelib.database.connection import lock_key
from tests.support.api import Answer, Api
from tests.support.given import Given
from tests.support.races import at_once, audited, held, statuses
from tests.support.sample import A_DENIED_VOYAGE, A_VOYAGE, VOYAGES

MANY = 50
SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/environments"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
DEVELOPMENT = {"name": "development", "rank": 1}


# Concurrent requests may have the same Idempotency-Key.


def test_one_key_used_many_times_at_once_writes_one_row_and_gives_one_answer(api: Api, given: Given) -> None:
    given.a_system()

    answers = at_once(*[lambda: api.post(PATH, DEVELOPMENT, idempotency_key="one")] * MANY)

    assert statuses(answers) == {201: MANY}
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == MANY - 1
    assert given.sql("SELECT count(*) FROM environments") == [(1,)]


def test_one_key_with_two_bodies_at_once_accepts_the_first(api: Api, given: Given) -> None:
    given.a_system()
    bodies = [{"name": name, "rank": rank} for rank, name in enumerate(("first", "second"), start=1)]

    answers = at_once(*(lambda body=body: api.post(PATH, body, idempotency_key="one") for body in bodies * (MANY // 2)))

    assert statuses(answers) == {201: MANY // 2, 422: MANY // 2}
    assert {answer.problem for answer in answers if answer.status == 422} == {"idempotency-key-reused"}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert given.sql("SELECT count(*) FROM environments") == [(1,)]


def test_the_same_key_of_many_principals_at_once_is_a_key_for_each(api: Api, given: Given) -> None:
    admins = [api.as_("admin", sub=f"admin-{number}") for number in range(20)]

    answers = at_once(
        *(
            lambda number=number, admin=admin: admin.post(
                "/v1/systems", {"key": f"system-{number}", "name": "Each their own"}, idempotency_key="one"
            )
            for number, admin in enumerate(admins)
        )
    )

    assert statuses(answers) == {201: 20}
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)


def test_requests_that_waited_for_a_refused_one_are_evaluated_again(api: Api, given: Given) -> None:
    def send() -> Answer:
        return api.post(PATH, DEVELOPMENT, idempotency_key="one")

    refused = at_once(*[send] * 10)
    given.a_system()
    created = at_once(*[send] * 10)

    assert statuses(refused) == {404: 10}
    assert statuses(created) == {201: 10}
    assert len({answer.body for answer in created}) == 1


def test_requests_that_waited_for_a_refusal_that_was_recorded_are_evaluated_again(sample: Api, given: Given) -> None:
    given.a_system_with_an_environment()

    denied = at_once(*[lambda: sample.post(VOYAGES, A_DENIED_VOYAGE, idempotency_key="one")] * 10)
    begun = at_once(*[lambda: sample.post(VOYAGES, A_VOYAGE, idempotency_key="one")] * 10)

    assert statuses(denied) == {409: 10}
    assert statuses(begun) == {201: 10}
    assert len({answer.body for answer in begun}) == 1
    assert given.sql("SELECT count(*) FROM voyages") == [(11,)]


# Concurrent requests may contradict each other.


def test_one_of_many_requests_gets_a_rank(api: Api, given: Given) -> None:
    given.a_system()

    answers = at_once(
        *(lambda number=number: api.post(PATH, {"name": f"number-{number}", "rank": 1}) for number in range(MANY))
    )

    (winner,) = [answer for answer in answers if answer.status == 201]
    losers = [answer for answer in answers if answer.status != 201]
    assert {(answer.status, answer.problem) for answer in losers} == {(409, "already-exists")}
    assert api.get(PATH)["items"] == [winner.json]


def test_a_deletion_that_comes_first_stops_a_concurrent_change(api: Api, given: Given, database_url: str) -> None:
    given.a_system_with_an_environment()

    with held(database_url, LOCK) as hold:
        deletion = hold.waiting(lambda: _delete(api))
        change = hold.waiting(lambda: _change(api))

    assert deletion.result().status == 204
    assert (change.result().status, change.result().problem) == (404, "not-found")
    assert audited(given) == ["environment.create", "environment.delete"]


def test_a_change_that_comes_first_is_recorded_before_a_concurrent_deletion(
    api: Api, given: Given, database_url: str
) -> None:
    given.a_system_with_an_environment()

    with held(database_url, LOCK) as hold:
        change = hold.waiting(lambda: _change(api))
        deletion = hold.waiting(lambda: _delete(api))

    assert (change.result().status, deletion.result().status) == (200, 204)
    assert audited(given) == ["environment.change", "environment.delete"]


@pytest.mark.parametrize("round_", range(5))
def test_the_audit_order_agrees_with_the_outcome(api: Api, given: Given, round_: int) -> None:
    given.a_system_with_an_environment()

    change, deletion = at_once(lambda: _change(api), lambda: _delete(api))

    assert deletion.status == 204
    assert audited(given) == [
        "environment.change" if change.status == 200 else "environment.create",
        "environment.delete",
    ]


@pytest.mark.parametrize("round_", range(5))
def test_the_last_audited_of_many_changes_is_the_state(api: Api, given: Given, round_: int) -> None:
    given.a_system_with_an_environment()

    answers = at_once(
        *(lambda rank=rank: api.patch(f"{PATH}/development", {"rank": rank}, if_match="*") for rank in range(2, 10))
    )

    changes = given.sql(
        "SELECT (before->'rank')::int, (after->'rank')::int FROM audit_events "
        "WHERE action = 'environment.change' ORDER BY id"
    )
    assert statuses(answers) == {200: 8}
    assert [before for before, _ in changes] == [1, *(after for _, after in changes[:-1])]
    assert api.get(f"{PATH}/development")["rank"] == changes[-1][1]


def _change(api: Api) -> Answer:
    return api.patch(f"{PATH}/development", {"base_url": "https://azul.example.org"}, if_match="*")


def _delete(api: Api) -> Answer:
    return api.delete(f"{PATH}/development", if_match="*")
