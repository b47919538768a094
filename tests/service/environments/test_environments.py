"""Environments: their life cycle and their order."""

import pytest

from chalicelib.identity.roles import Role
from tests.support.expected import WHOLE, Expected, Write


def _creates_an_environment(given):
    given.a_system()
    body = {"name": "development", "rank": 1}
    return Write(
        "/v1/systems/azul/environments",
        "azul/development",
        body,
        {**body, "name": "preproduction"},
    )


def _changes_an_environment(given):
    given.a_system_with_an_environment()
    return Write(
        "/v1/systems/azul/environments/development",
        "azul/development",
        {"required_soak_seconds": 60},
    )


def _deletes_an_environment(given):
    given.a_system_with_an_environment()
    return Write("/v1/systems/azul/environments/development", "azul/development")


def _two(given, system):
    given.a_system(system)
    given.an_environment("development", system=system)
    given.an_environment("production", system=system)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/environments": Role.viewer,
        "GET /v1/systems/{system}/environments/{environment}": Role.viewer,
        "POST /v1/systems/{system}/environments": Role.maintainer,
        "PATCH /v1/systems/{system}/environments/{environment}": Role.maintainer,
        "DELETE /v1/systems/{system}/environments/{environment}": Role.maintainer,
    },
    rights={
        "aws_accounts": {},
        "environments": {
            "SELECT": WHOLE,
            "INSERT": "all but id created_at",
            "UPDATE": "rank aws_account_id region base_url production required_soak_seconds "
            "verification_max_age_seconds required_suites required_approvals workspace_hosts",
            "DELETE": WHOLE,
        },
    },
    owners_functions=("claim_aws_account", "first_system_of_aws_account", "settle_aws_account"),
    granted_functions=("first_system_of_aws_account",),
    out_of_reach={
        "aws_accounts_pkey": "the only INSERT into this table has an ON CONFLICT clause",
        "aws_accounts_first_system": "the triggers write the row, and its system exists",
        "aws_accounts_class": "the primary key is stricter, but foreign keys refer to this key",
        "environments_of_system": "the primary key is stricter, but foreign keys refer to this key",
        "environments_system_id_fkey": "creating an environment and deleting its system wait for each other",
    },
    writes={
        "POST /v1/systems/{system}/environments": _creates_an_environment,
        "PATCH /v1/systems/{system}/environments/{environment}": _changes_an_environment,
        "DELETE /v1/systems/{system}/environments/{environment}": _deletes_an_environment,
    },
    two=_two,
    parameters={"environment": "development"},
)


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
        "required_approvals": 2,
        "workspace_hosts": [".azul.example.org", "abc.execute-api.eu-central-1.amazonaws.com"],
    }

    created = api.post(PATH, body)

    assert created.status == 201
    assert created.headers["Location"] == f"{PATH}/production"
    assert created.json == {**body, "created_at": created["created_at"]}
    assert api.get(f"{PATH}/production").json == created.json


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


def test_a_name_never_changes(api, given):
    given.a_system()
    given.an_environment()

    answer = api.patch(f"{PATH}/development", {"name": "testing"}, if_match="*")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/name"]


def test_a_change_of_the_hosts_of_workspaces_is_audited(api, given):
    given.a_system()
    given.an_environment()

    changed = api.patch(f"{PATH}/development", {"workspace_hosts": [".azul.example.org"]}, if_match="*")

    assert changed["workspace_hosts"] == [".azul.example.org"]
    assert given.sql("SELECT before, after FROM audit_events WHERE refusal IS NULL ORDER BY id DESC LIMIT 1") == [
        ({"workspace_hosts": []}, {"workspace_hosts": [".azul.example.org"]})
    ]


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
    for name, rank in {"preproduction": 20, "testing": 10, "production": 30}.items():
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
