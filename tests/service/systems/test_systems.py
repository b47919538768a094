"""Systems: their life cycle and their list."""

import pytest

from chalicelib.identity.roles import Role
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import BECAUSE
from tests.support.races import held


def _creates_a_system(given):
    body = {"key": "azul", "name": "Azul", "description": "Metadata"}
    return Write("/v1/systems", "azul", body, {**body, "name": "Blue"})


def _changes_a_system(given):
    given.a_system()
    return Write("/v1/systems/azul", "azul", {"name": "Blue"})


def _deletes_a_system(given):
    given.a_system()
    return Write("/v1/systems/azul", "azul")


EXPECTED = Expected(
    roles={
        "GET /v1/systems": Role.viewer,
        "GET /v1/systems/{system}": Role.viewer,
        "PATCH /v1/systems/{system}": Role.maintainer,
        "POST /v1/systems": Role.admin,
        "DELETE /v1/systems/{system}": Role.admin,
    },
    rights={
        "systems": {
            "SELECT": WHOLE,
            "INSERT": "all but id created_at",
            "UPDATE": "name repository description",
            "DELETE": WHOLE,
        },
    },
    writes={
        "POST /v1/systems": _creates_a_system,
        "PATCH /v1/systems/{system}": _changes_a_system,
        "DELETE /v1/systems/{system}": _deletes_a_system,
    },
    parameters={"system": "azul"},
)


PATH = "/v1/systems/azul"


def test_a_system_is_created_and_read(api):
    created = api.post(
        "/v1/systems", {"key": "azul", "name": "Azul", "repository": "https://github.com/DataBiosphere/azul"}
    )

    assert created.status == 201
    assert created.headers["Location"] == PATH
    assert api.get(PATH).json == created.json


def test_a_system_needs_only_a_key_and_a_name(api):
    created = api.post("/v1/systems", {"key": "azul", "name": "Azul"})

    assert created.json == {
        "key": "azul",
        "name": "Azul",
        "repository": None,
        "description": "",
        "artifact_kind": "tree",
        "created_at": created["created_at"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "a"),
        ("key", "Azul"),
        ("key", "1azul"),
        ("key", "azul\n"),
        ("key", "a" * 40),
        ("name", ""),
        ("name", "a" * 101),
        ("repository", "http://github.com/DataBiosphere/azul"),
        ("repository", "https://github.com/a b"),
        ("description", "a" * 2001),
        ("description", None),
        ("artifact_kind", "image"),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, field, value):
    answer = api.post("/v1/systems", {"key": "azul", "name": "Azul", field: value})

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]


def test_a_key_is_unique(api, given):
    given.a_system()

    answer = api.post("/v1/systems", {"key": "azul", "name": "Another"})

    assert (answer.status, answer.problem) == (409, "already-exists")
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/key"]
    assert api.get(PATH)["name"] == "Azul"


def test_an_unknown_system_is_not_found(api):
    assert api.get(PATH).problem == "not-found"
    assert api.patch(PATH, {"name": "Blue"}, if_match="*").problem == "not-found"
    assert api.delete(PATH, if_match="*").problem == "not-found"


def test_a_patch_changes_only_the_fields_in_it(api, given):
    given.a_system(repository="https://github.com/DataBiosphere/azul", description="Metadata")
    before = api.get(PATH).json

    changed = api.patch(PATH, {"name": "Blue"}, if_match="*")

    assert changed.status == 200
    assert changed.json == {**before, "name": "Blue"}
    assert api.get(PATH).json == changed.json


def test_a_patch_with_null_clears_a_field(api, given):
    given.a_system(repository="https://github.com/DataBiosphere/azul")

    changed = api.patch(PATH, {"repository": None}, if_match="*")

    assert changed["repository"] is None


def test_an_empty_patch_changes_nothing(api, given):
    given.a_system()
    before = api.get(PATH)

    changed = api.patch(PATH, {}, if_match="*")

    assert changed.json == before.json
    assert changed.headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("key", "blue"), ("artifact_kind", "sha256"), ("created_at", "2026-01-01T00:00:00Z"), ("name", None)],
)
def test_a_patch_of_a_fixed_field_is_refused(api, given, field, value):
    given.a_system()
    before = api.get(PATH).json

    answer = api.patch(PATH, {field: value}, if_match="*")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer["errors"]] == [f"#/{field}"]
    assert api.get(PATH).json == before


def test_a_maintainer_may_change_a_system_but_not_create_or_delete_one(api, given):
    given.a_system()
    maintainer = api.as_("maintainer")

    assert maintainer.patch(PATH, {"name": "Blue"}, if_match="*").status == 200
    assert maintainer.post("/v1/systems", {"key": "blue", "name": "Blue"}).status == 403
    assert maintainer.delete(PATH, if_match="*").status == 403


def test_a_system_without_history_is_deleted_with_its_environments(api, given):
    given.the_usual()

    deleted = api.delete(PATH + BECAUSE, if_match="*")

    assert (deleted.status, deleted.body) == (204, "")
    assert api.get(PATH).status == 404
    assert given.sql("SELECT count(*) FROM environments") == [(0,)]
    given.the_usual()


def test_the_list_is_paged_in_order_of_keys(api, given):
    for key in ("cherry", "apple", "banana"):
        given.a_system(key)

    first = api.get("/v1/systems?limit=2")
    second = api.get(f"/v1/systems?limit=2&cursor={first['next']}")

    assert [system["key"] for system in first["items"]] == ["apple", "banana"]
    assert first.headers["Link"] == f'<?limit=2&cursor={first["next"]}>; rel="next"'
    assert [system["key"] for system in second["items"]] == ["cherry"]
    assert second["next"] is None
    assert "Link" not in second.headers


def test_a_last_page_that_is_exactly_full_has_no_next(api, given):
    given.a_system("apple")
    given.a_system("banana")

    assert api.get("/v1/systems?limit=2")["next"] is None


def test_a_list_without_items_is_empty(api):
    assert api.get("/v1/systems").json == {"items": [], "next": None}


def test_a_system_created_between_two_pages_shifts_nothing(api, given):
    for key in ("apple", "banana", "cherry"):
        given.a_system(key)
    first = api.get("/v1/systems?limit=2")
    given.a_system("aardvark")

    second = api.get(f"/v1/systems?limit=2&cursor={first['next']}")

    assert [system["key"] for system in second["items"]] == ["cherry"]


def test_a_cursor_of_another_list_is_refused(api, given):
    given.the_usual()
    given.a_system("blue")
    cursor = api.get("/v1/systems?limit=1")["next"]

    answer = api.get(f"{PATH}/environments?limit=1&cursor={cursor}")

    assert (answer.status, answer.problem) == (400, "cursor-unusable")


def test_creating_in_a_system_during_its_deletion_finds_no_system(api, given, database_url):
    given.the_usual()

    # The deletion has deleted the row of the system, and waits for the row of an environment.
    with held(database_url, "SELECT FROM environments FOR UPDATE") as hold:
        deletion = hold.waiting(lambda: api.delete(PATH + BECAUSE, if_match="*"))
        creation = hold.waiting(lambda: api.post(f"{PATH}/environments", {"name": "testing", "rank": 7}))

    assert deletion.result().status == 204
    assert (creation.result().status, creation.result().problem) == (404, "not-found")
