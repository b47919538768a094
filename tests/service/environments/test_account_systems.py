"""An AWS account that another system named first takes an admin (docs/design.md)."""

import pytest

from tests.support.given import BECAUSE
from tests.support.races import held

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/environments"
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
TESTING = {"name": "testing", "rank": 7, "aws_account_id": ACCOUNT}


@pytest.fixture
def maintainer(api, given):
    """A maintainer of azul. The system blue exists too."""
    given.a_system("azul")
    given.a_system("blue")
    return api.as_("maintainer")


@pytest.fixture
def of_blue(given, maintainer):
    """The environment with which blue named the account first."""
    return given.an_environment("development", system="blue", aws_account_id=ACCOUNT)


def test_an_account_that_another_system_named_first_takes_an_admin(api, maintainer, of_blue):
    refused = maintainer.post(PATH, TESTING)

    _is_refused(refused)
    assert "'blue'" in refused["detail"]
    assert api.get(f"{PATH}/testing").status == 404
    assert api.post(PATH, TESTING).status == 201


def test_an_environment_moves_to_an_account_of_another_system_by_an_admin_only(api, given, maintainer, of_blue):
    given.an_environment("testing", aws_account_id=OTHER_ACCOUNT)
    move = {"aws_account_id": ACCOUNT}

    _is_refused(maintainer.patch(f"{PATH}/testing", move, if_match="*"))
    assert api.get(f"{PATH}/testing")["aws_account_id"] == OTHER_ACCOUNT
    assert api.patch(f"{PATH}/testing", move, if_match="*").status == 200


def test_a_refusal_comes_before_the_class_of_the_account(maintainer, of_blue):
    _is_refused(maintainer.post(PATH, {**TESTING, "production": True}))


def test_a_system_that_an_admin_let_in_needs_an_admin_each_time(given, maintainer, of_blue):
    given.an_environment("testing", aws_account_id=ACCOUNT)

    _is_refused(maintainer.post(PATH, {**TESTING, "name": "staging", "rank": 8}))


def test_other_fields_of_an_environment_that_an_admin_let_in_can_change(given, maintainer, of_blue):
    given.an_environment("testing", aws_account_id=ACCOUNT)
    body = {"aws_account_id": ACCOUNT, "region": "eu-central-1"}

    assert maintainer.patch(f"{PATH}/testing", body, if_match="*").status == 200


def test_the_system_that_named_an_account_first_needs_no_admin(given, maintainer):
    assert maintainer.post(PATH, TESTING).status == 201
    given.an_environment("development", system="blue", aws_account_id=ACCOUNT)

    assert maintainer.post(PATH, {**TESTING, "name": "staging", "rank": 8}).status == 201


@pytest.mark.parametrize("system", [False, True], ids=["environment", "system"])
def test_after_the_first_system_the_one_with_the_oldest_environment_is_first(api, given, maintainer, of_blue, system):
    given.a_system("green")
    given.an_environment("first", aws_account_id=ACCOUNT)
    given.an_environment("first", system="green", aws_account_id=ACCOUNT)
    left = "/v1/systems/blue" + ("" if system else "/environments/development")

    assert api.delete(left + BECAUSE, if_match="*").status == 204

    assert maintainer.post(PATH, TESTING).status == 201
    _is_refused(api.as_("maintainer", of="green").post("/v1/systems/green/environments", TESTING))


@pytest.mark.parametrize("production", [False, True], ids=["same class", "other class"])
def test_an_admin_gives_an_account_to_its_system_without_the_system_that_took_it(api, maintainer, of_blue, production):
    ours = {**TESTING, "production": production}
    taken = "/v1/systems/blue/environments/development"

    named = api.post(PATH, ours)
    freed = api.patch(taken, {"aws_account_id": None}, if_match="*")
    named_after = maintainer.post(PATH, {**ours, "name": "staging", "rank": 8})

    assert (named.status, freed.status, named_after.status) == (409 if production else 201, 200, 201)
    _is_refused(api.as_("maintainer", of="blue").patch(taken, {"aws_account_id": ACCOUNT}, if_match="*"))


def test_an_account_that_no_environment_names_is_free(api, maintainer, of_blue):
    api.patch("/v1/systems/blue/environments/development", {"aws_account_id": OTHER_ACCOUNT}, if_match="*")

    assert maintainer.post(PATH, TESTING).status == 201
    _is_refused(maintainer.post(PATH, {**TESTING, "name": "staging", "rank": 8, "aws_account_id": OTHER_ACCOUNT}))


def test_a_request_that_waited_for_the_first_one_is_refused(maintainer, database_url):
    insertion = f"""
        INSERT INTO environments (system_id, name, rank, aws_account_id, production, required_soak_seconds,
            required_suites)
        SELECT id, 'inserted', 8, '{ACCOUNT}', false, 0, '{{}}' FROM systems WHERE key = 'blue'
    """

    with held(database_url, insertion) as hold:
        creation = hold.waiting(lambda: maintainer.post(PATH, TESTING))
        waited = not creation.done()

    assert waited
    _is_refused(creation.result())


def _is_refused(answer):
    assert (answer.status, answer.problem) == (403, "forbidden")
    assert "named it first" in answer["detail"]
