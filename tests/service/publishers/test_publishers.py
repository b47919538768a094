"""Publishers: which pipelines may write which records of a system, and for which environments."""

import pytest

from chalicelib.identity.roles import Role
from tests.support.claims import GITHUB
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import A_PUBLISHER, BECAUSE
from tests.support.sample import A_VOYAGE, VOYAGES


def _creates_a_publisher(given):
    given.a_system_with_an_environment()
    return Write(
        "/v1/systems/azul/publishers",
        "azul/publishers/{id}",
        A_PUBLISHER,
        {**A_PUBLISHER, "ref": "refs/heads/*"},
    )


def _deletes_a_publisher(given):
    given.a_system_with_an_environment()
    publisher = given.a_publisher()["id"]
    return Write(f"/v1/systems/azul/publishers/{publisher}", f"azul/publishers/{publisher}")


def _two(given, system):
    for name in ("first", "second"):
        given.a_publisher(system=system, ref=f"refs/heads/{name}")


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/publishers": Role.maintainer,
        "POST /v1/systems/{system}/publishers": Role.maintainer,
        "GET /v1/systems/{system}/publishers/{id}": Role.maintainer,
        "DELETE /v1/systems/{system}/publishers/{id}": Role.maintainer,
    },
    rights={
        "publishers": {"SELECT": WHOLE, "INSERT": "all but id created_at", "DELETE": WHOLE},
        "publisher_environments": {"SELECT": WHOLE, "INSERT": WHOLE, "DELETE": WHOLE},
    },
    out_of_reach={
        "publishers_system_id_fkey": "creating a publisher and deleting its system wait for each other",
        "publishers_of_system": "the primary key is stricter, but foreign keys refer to this key",
        "publisher_environments_once": "one statement inserts all environments, and their names differ",
        "publisher_environments_end_with_publisher": "the statement that inserts the publisher inserts these rows",
    },
    writes={
        "POST /v1/systems/{system}/publishers": _creates_a_publisher,
        "DELETE /v1/systems/{system}/publishers/{id}": _deletes_a_publisher,
    },
    two=_two,
)


SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/publishers"


# Publishers can be created, read and deleted.


def test_a_publisher_is_created_and_read(api, given):
    given.the_usual()

    created = api.as_("maintainer").post(PATH, A_PUBLISHER)

    assert created.status == 201
    assert api.as_("maintainer").get(created.headers["Location"]).json == created.json
    assert api.get(PATH)["items"] == [created.json]
    assert created["issuer"] == GITHUB
    assert created["events"] == ["push", "workflow_dispatch", "schedule", "release"]
    assert created["kinds"] == ["deployments", "verifications"]
    assert created["purposes"] == ["personal", "preview"]
    assert (created["any_revision"], created["called_workflow"]) == (False, None)
    assert created["created_by"] == "maintainer@local"


def test_every_field_is_kept(api, given):
    given.the_usual()
    fields = {
        "issuer": GITHUB,
        "called_workflow": "acme/pipelines/.github/workflows/deploy.yml@refs/tags/v*",
        "events": ["workflow_run"],
        "ref": "refs/tags/v*",
        "environments": {"development": "dev", "production": "production-verify"},
        "kinds": ["workspaces"],
        "purposes": ["debug"],
        "any_revision": True,
    }

    created = api.post(PATH, {**A_PUBLISHER, **fields})

    assert {name: created[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("events", ["pull_request"]),
        ("events", ["pull_request_target"]),
        ("events", ["push", "issue_comment"]),
        ("events", []),
        ("events", ["push", "push"]),
        ("kinds", []),
        ("kinds", ["systems"]),
        ("kinds", ["deployments", "deployments"]),
        ("purposes", []),
        ("purposes", ["other"]),
        ("purposes", ["debug", "debug"]),
        ("environments", {}),
        ("environments", None),
        ("environments", ["development"]),
        ("ref", None),
        ("ref", "main"),
        ("ref", "*"),
        ("ref", "refs/*"),
        ("ref", "refs/pull/1/merge"),
        ("ref", "refs/heads/*a*a*a*"),
        ("ref", "refs/heads/**"),
        ("ref", "refs/heads/release/**/x"),
        ("ref", "refs/heads/a b"),
        ("workflow", "deploy.yml"),
        ("workflow", ".github/workflows/../deploy.yml"),
        ("workflow", ".github/workflows/deploy.sh"),
        ("workflow", ".github/workflows/*.yml"),
        ("workflow", ".github/workflows/deploy\n.yml"),
        ("called_workflow", ".github/workflows/deploy.yml@refs/heads/main"),
        ("called_workflow", "acme/pipelines/.github/workflows/deploy.yml"),
        ("called_workflow", "acme/pipelines/.github/workflows/deploy.yml@**"),
        ("repository", "azul"),
        ("repository", "acme/azul/x"),
        ("repository", "acme/*"),
        ("repository_id", "x"),
        ("repository_id", 74),
        ("repository_id", None),
        ("repository_owner_id", ""),
        ("issuer", "https://token.example.org"),
        ("issuer", "http://token.actions.githubusercontent.com"),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, given, field, value):
    given.the_usual()

    answer = api.post(PATH, {**A_PUBLISHER, field: value})

    assert answer.status == 422
    assert answer["errors"][0]["pointer"].startswith(f"#/{field}")
    assert api.get(PATH)["items"] == []


def test_an_unknown_environment_is_refused_by_name(api, given):
    given.the_usual()

    answer = api.post(PATH, {**A_PUBLISHER, "environments": {"development": None, "develpoment": None}})

    assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/environments/develpoment"])


def test_without_an_issuer_of_pipelines_no_publisher_is_created(api, given, trusting):
    given.the_usual()
    trusting("local")

    answer = api.post(PATH, A_PUBLISHER)

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/issuer")
    assert "SLIPWAY_ISSUERS" in answer["errors"][0]["detail"]


def test_unknown_systems_and_publishers_are_not_found(api, given):
    given.the_usual()
    given.a_system("blue")
    publisher = given.a_publisher()["id"]

    assert api.post("/v1/systems/nothing/publishers", A_PUBLISHER).status == 404
    assert api.get("/v1/systems/nothing/publishers").status == 404
    for path in (f"{PATH}/0", f"{PATH}/x", f"/v1/systems/blue/publishers/{publisher}"):
        assert api.get(path).status == 404
        assert api.delete(path, if_match="*").status == 404


def test_the_list_is_newest_first_and_paged(api, given):
    given.the_usual()
    made = [given.a_publisher(ref=f"refs/heads/{name}")["id"] for name in "abc"]

    first = api.get(f"{PATH}?limit=2")
    second = api.get(f"{PATH}?limit=2&cursor={first['next']}")

    assert [each["id"] for each in (*first["items"], *second["items"])] == made[::-1]


def test_deleting_a_system_deletes_its_publishers(api, given):
    given.the_usual()
    given.a_publisher()

    assert api.delete(SYSTEM + BECAUSE, if_match="*").status == 204
    assert given.sql("SELECT count(*) FROM publishers") == [(0,)]


def test_an_environment_that_a_publisher_names_cannot_be_deleted(api, given):
    given.the_usual()
    publisher = given.a_publisher()["id"]

    refused = api.delete(f"{SYSTEM}/environments/development", if_match="*")
    api.delete(f"{PATH}/{publisher}", if_match="*")

    assert (refused.status, refused.problem) == (409, "in-use")
    assert api.delete(f"{SYSTEM}/environments/development", if_match="*").status == 204


def test_a_publisher_gives_no_rights_to_a_later_environment_of_the_same_name(given, sample):
    given.the_usual()
    given.a_publisher(environments={"development": None, "production": None})

    # The service refuses this deletion. The rights of the publisher end even if it did not.
    given.sql(
        """
        SET session_replication_role = replica;
        DELETE FROM environments WHERE name = 'development'
        """
    )
    given.an_environment("development")

    assert sample.as_run().post(VOYAGES, A_VOYAGE).problem == "forbidden"
