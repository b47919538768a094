"""An AWS account holds either production or other environments, across all systems (docs/design.md)."""

import pytest

from tests.support.given import BECAUSE
from tests.support.races import at_once, held

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/environments"
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"


@pytest.fixture
def two_systems(given):
    given.a_system("azul")
    given.a_system("blue")


@pytest.mark.parametrize("system", ["azul", "blue"])
@pytest.mark.parametrize("first", [True, False])
def test_an_account_holds_one_class_across_systems(api, given, two_systems, first, system):
    given.an_environment("first", rank=1, production=first, aws_account_id=ACCOUNT)
    body = {"name": "second", "rank": 2, "production": not first, "aws_account_id": ACCOUNT}

    answer = api.post(f"/v1/systems/{system}/environments", body)

    _is_refused(answer)
    assert api.get(f"/v1/systems/{system}/environments/second").status == 404


@pytest.mark.parametrize("production", [True, False])
def test_an_account_may_hold_many_environments_of_one_class(api, given, two_systems, production):
    given.an_environment("first", rank=1, production=production, aws_account_id=ACCOUNT)
    given.an_environment("second", rank=2, production=production, aws_account_id=ACCOUNT)

    assert given.an_environment("first", system="blue", production=production, aws_account_id=ACCOUNT).status == 201


def test_environments_without_an_account_may_have_any_class(given):
    given.a_system()
    given.an_environment("development")

    assert given.an_environment("production").status == 201


def test_an_environment_in_a_shared_account_cannot_change_its_class(api, given, two_systems):
    given.an_environment("development", aws_account_id=ACCOUNT)
    given.an_environment("development", system="blue", aws_account_id=ACCOUNT)

    answer = api.patch(f"{PATH}/development", {"production": True}, if_match="*")

    _is_refused(answer)
    assert api.get(f"{PATH}/development")["production"] is False


def test_the_only_environment_of_an_account_can_change_its_class(api, given, two_systems):
    given.an_environment("development", aws_account_id=ACCOUNT)

    changed = api.patch(f"{PATH}/development", {"production": True}, if_match="*")

    assert (changed.status, changed["production"]) == (200, True)
    body = {"name": "testing", "rank": 1, "aws_account_id": ACCOUNT}
    _is_refused(api.post("/v1/systems/blue/environments", body))
    assert given.an_environment("production", system="blue", aws_account_id=ACCOUNT).status == 201


def test_an_environment_cannot_move_to_an_account_of_another_class(api, given, two_systems):
    given.an_environment("production", aws_account_id=ACCOUNT)
    given.an_environment("development", system="blue", aws_account_id=OTHER_ACCOUNT)

    answer = api.patch("/v1/systems/blue/environments/development", {"aws_account_id": ACCOUNT}, if_match="*")

    _is_refused(answer)
    assert api.get("/v1/systems/blue/environments/development")["aws_account_id"] == OTHER_ACCOUNT


def test_an_environment_can_move_and_change_its_class_at_once(api, given, two_systems):
    given.an_environment("production", aws_account_id=ACCOUNT)
    given.an_environment("development", system="blue", aws_account_id=OTHER_ACCOUNT)

    answer = api.patch(
        "/v1/systems/blue/environments/development",
        {"aws_account_id": ACCOUNT, "production": True},
        if_match="*",
    )

    assert answer.status == 200


def _deletes_the_environment(api):
    return api.delete(f"{PATH}/production{BECAUSE}", if_match="*")


def _deletes_the_system(api):
    return api.delete(SYSTEM + BECAUSE, if_match="*")


def _moves_away(api):
    return api.patch(f"{PATH}/production", {"aws_account_id": OTHER_ACCOUNT}, if_match="*")


def _leaves_its_account(api):
    return api.patch(f"{PATH}/production", {"aws_account_id": None}, if_match="*")


@pytest.mark.parametrize("leaves", [_deletes_the_environment, _deletes_the_system, _moves_away, _leaves_its_account])
def test_an_account_is_free_after_its_last_environment(api, given, two_systems, leaves):
    given.an_environment("production", aws_account_id=ACCOUNT)

    assert leaves(api).status in (200, 204)

    assert given.an_environment("development", system="blue", aws_account_id=ACCOUNT).status == 201


def test_an_account_keeps_its_class_while_an_environment_is_left(api, given, two_systems):
    given.an_environment("production", aws_account_id=ACCOUNT)
    given.an_environment("production", system="blue", aws_account_id=ACCOUNT)

    assert _deletes_the_environment(api).status == 204

    _is_refused(api.post(PATH, {"name": "development", "rank": 1, "aws_account_id": ACCOUNT}))


def test_an_account_accepts_one_of_two_classes_at_once(api, given, two_systems):
    for round_ in range(5):
        name, account = f"round-{round_}", f"{round_:012}"
        body = {"name": name, "rank": round_ + 1, "aws_account_id": account}

        answers = at_once(
            lambda body=body: api.post(PATH, {**body, "production": True}),
            lambda body=body: api.post("/v1/systems/blue/environments", {**body, "production": False}),
        )

        assert sorted(answer.status for answer in answers) == [201, 409]
        assert given.sql("SELECT count(*) FROM environments WHERE aws_account_id = %s", account) == [(1,)]


def test_the_second_class_for_an_account_waits_and_is_refused(api, given, two_systems, database_url):
    with held(database_url, _insert("blue", production=True)) as hold:
        creation = hold.waiting(lambda: api.post(PATH, {"name": "testing", "rank": 7, "aws_account_id": ACCOUNT}))
        waited = not creation.done()

    assert waited
    _is_refused(creation.result())


@pytest.mark.parametrize("leaves", [_deletes_the_environment, _moves_away])
def test_an_environment_can_leave_an_account_while_another_arrives(api, given, two_systems, database_url, leaves):
    given.an_environment("production", aws_account_id=ACCOUNT)

    with held(database_url, _insert("blue", production=True)) as hold:
        leaving = hold.waiting(lambda: leaves(api))

    assert leaving.result().status in (200, 204)
    _is_refused(api.post(PATH, {"name": "development", "rank": 1, "aws_account_id": ACCOUNT}))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE environments SET production = true WHERE name = 'development'",
        "UPDATE environments SET aws_account_id = '444455556666' WHERE name = 'development'",
        "UPDATE aws_accounts SET production = true WHERE id = '111122223333'",
        "DELETE FROM aws_accounts WHERE id = '111122223333'",
    ],
)
def test_the_schema_keeps_an_account_to_one_class_on_update(given, two_systems, statement):
    given.an_environment("development", aws_account_id=ACCOUNT)
    given.an_environment("preproduction", aws_account_id=ACCOUNT)
    given.an_environment("production", aws_account_id=OTHER_ACCOUNT)

    with pytest.raises(Exception, match="environments_account_holds_one_class"):
        given.sql(statement)


def test_the_schema_keeps_an_account_to_one_class_on_insert(given, two_systems):
    given.an_environment("development", aws_account_id=ACCOUNT)

    with pytest.raises(Exception, match="environments_account_holds_one_class"):
        given.sql(_insert("blue", production=True))


def _insert(system: str, *, production: bool) -> str:
    return f"""
        INSERT INTO environments (system_id, name, rank, aws_account_id, production, required_soak_seconds,
            required_suites)
        SELECT id, 'inserted', 8, '{ACCOUNT}', {production}, 0, '{{}}' FROM systems WHERE key = '{system}'
    """


def _is_refused(answer):
    assert (answer.status, answer.problem) == (409, "account-holds-one-class")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/aws_account_id"]
