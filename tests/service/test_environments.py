"""Environments: their life cycle, their order, and the class of their AWS account."""

import pytest

from tests.support.races import at_once, held

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/environments"
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"


def test_an_environment_is_created_and_read(api, given):
    given.a_system()
    body = {
        "name": "production",
        "rank": 3,
        "aws_account_id": ACCOUNT,
        "region": "eu-central-1",
        "base_url": "https://azul.example.org",
        "production": True,
        "required_soak_seconds": 3600,
        "verification_max_age_seconds": 86400,
        "required_suites": ["acceptance", "load"],
    }

    created = api.post(PATH, body)

    assert created.status == 201
    assert created.headers["Location"] == f"{PATH}/production"
    assert created.json == {**body, "created_at": created["created_at"]}
    assert api.get(f"{PATH}/production").json == created.json


def test_an_environment_needs_only_a_name_and_a_rank(api, given):
    given.a_system()

    created = api.post(PATH, {"name": "development", "rank": 1})

    assert created.json == {
        "name": "development",
        "rank": 1,
        "aws_account_id": None,
        "region": None,
        "base_url": None,
        "production": False,
        "required_soak_seconds": 0,
        "verification_max_age_seconds": None,
        "required_suites": [],
        "created_at": created["created_at"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Development"),
        ("name", None),
        ("rank", 0),
        ("rank", 1001),
        ("rank", "1"),
        ("aws_account_id", "11112222333"),
        ("aws_account_id", 111122223333),
        ("region", "Frankfurt"),
        ("base_url", "azul.example.org"),
        ("production", None),
        ("required_soak_seconds", -1),
        ("verification_max_age_seconds", 0),
        ("required_suites", ["acceptance", "acceptance"]),
        ("required_suites", [f"suite-{n}" for n in range(51)]),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, given, field, value):
    given.a_system()

    answer = api.post(PATH, {"name": "development", "rank": 1, field: value})

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"name": "development", "rank": 7}, "#/name"), ({"name": "testing", "rank": 1}, "#/rank")],
)
def test_names_and_ranks_are_unique_in_a_system(api, given, body, pointer):
    given.the_usual()

    answer = api.post(PATH, body)

    assert (answer.status, answer.problem) == (409, "already-exists")
    assert [fault["pointer"] for fault in answer["errors"]] == [pointer]


def test_another_system_may_use_the_same_names_and_ranks(given):
    given.the_usual()
    given.a_system("blue")

    assert given.an_environment("development", system="blue").status == 201


def test_an_unknown_environment_is_not_found(api, given):
    body = {"name": "development", "rank": 1}
    assert api.get(PATH).problem == "not-found"
    assert api.post(PATH, body).problem == "not-found"

    given.a_system()

    assert api.get(PATH).json == {"items": [], "next": None}
    assert api.get(f"{PATH}/development").problem == "not-found"
    assert api.patch(f"{PATH}/development", {"rank": 2}, if_match="*").problem == "not-found"
    assert api.delete(f"{PATH}/development", if_match="*").problem == "not-found"


def test_an_environment_is_found_only_in_its_own_system(api, given):
    given.the_usual()
    given.a_system("blue")

    assert api.get("/v1/systems/blue/environments/development").status == 404
    assert api.patch("/v1/systems/blue/environments/development", {"rank": 2}, if_match="*").status == 404
    assert api.delete("/v1/systems/blue/environments/development", if_match="*").status == 404
    assert api.get(f"{PATH}/development")["rank"] == 1


def test_a_patch_changes_only_the_fields_in_it(api, given):
    given.a_system()
    before = given.an_environment(
        aws_account_id=ACCOUNT, verification_max_age_seconds=60, required_suites=["acceptance"]
    ).json

    changed = api.patch(f"{PATH}/development", {"required_soak_seconds": 60}, if_match="*")

    assert changed.json == {**before, "required_soak_seconds": 60}
    assert api.get(f"{PATH}/development").json == changed.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("aws_account_id", ACCOUNT),
        ("region", "eu-central-1"),
        ("base_url", "https://azul.example.org"),
        ("verification_max_age_seconds", 60),
    ],
)
def test_a_patch_with_null_clears_a_field(api, given, field, value):
    given.a_system()
    before = given.an_environment(**{field: value}).json

    changed = api.patch(f"{PATH}/development", {field: None}, if_match="*")

    assert changed.json == {**before, field: None}


@pytest.mark.parametrize("field", ["rank", "production", "required_soak_seconds", "required_suites"])
def test_a_required_field_cannot_be_cleared(api, given, field):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {field: None}, if_match="*")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]


def test_a_name_never_changes(api, given):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {"name": "testing"}, if_match="*")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/name"]


def test_a_patch_may_name_each_suite_once(api, given):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {"required_suites": ["load", "load"]}, if_match="*")

    assert [fault["pointer"] for fault in answer["errors"]] == ["#/required_suites"]


def test_a_patch_to_a_taken_rank_is_refused(api, given):
    given.the_usual()

    answer = api.patch(f"{PATH}/development", {"rank": 2}, if_match="*")

    assert (answer.status, answer.problem) == (409, "already-exists")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/rank"]


def test_an_environment_without_history_can_be_deleted_and_created_again(api, given):
    given.a_system()
    given.an_environment()

    deleted = api.delete(f"{PATH}/development", if_match="*")

    assert (deleted.status, deleted.body) == (204, "")
    assert api.get(f"{PATH}/development").status == 404
    given.an_environment()


def test_the_list_is_paged_in_promotion_order(api, given):
    given.a_system()
    for name, rank in {"production": 30, "testing": 10, "preproduction": 20}.items():
        given.an_environment(name, rank=rank)

    first = api.get(f"{PATH}?limit=2")
    second = api.get(f"{PATH}?limit=2&cursor={first['next']}")

    assert [each["name"] for each in first["items"]] == ["testing", "preproduction"]
    assert first.headers["Link"] == f'<?limit=2&cursor={first["next"]}>; rel="next"'
    assert [each["name"] for each in second["items"]] == ["production"]
    assert second["next"] is None


def test_a_cursor_of_another_system_is_refused(api, given):
    given.the_usual()
    given.a_system("blue")
    cursor = api.get(f"{PATH}?limit=1")["next"]

    answer = api.get(f"/v1/systems/blue/environments?limit=1&cursor={cursor}")

    assert (answer.status, answer.problem) == (400, "cursor-unusable")


# Rule 6 of docs/design.md: all environments in an AWS account, of all systems, are production, or none of them is.


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
    return api.delete(f"{PATH}/production", if_match="*")


def _deletes_the_system(api):
    return api.delete(SYSTEM, if_match="*")


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
