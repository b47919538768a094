"""Publishers: which pipelines may write which records of a system, and for which environments."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.rest import admission
from chalicelib.telemetry import logger
from tests.support.claims import GITHUB, RUN_SUBJECT
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


# A publisher gives rights to the runs that it trusts.


def test_a_pipeline_writes_the_records_that_its_publisher_names(given, sample):
    given.the_usual()
    given.a_publisher()

    begun = sample.as_run().post(VOYAGES, A_VOYAGE)

    assert (begun.status, begun["created_by"]) == (201, RUN_SUBJECT)
    assert sample.as_run().get(VOYAGES)["items"] == [begun.json]


def test_names_may_have_all_characters_that_github_allows(given, sample):
    given.the_usual()
    path, branch = ".github/workflows/Deploy to prod (" + "é" * 230 + ").yml", "refs/heads/größer/#1\u200d💻"
    called = f"acme/pipelines/{path}@{branch}"
    given.a_publisher(workflow=path, ref=branch, called_workflow=called, environments={"development": "Dev Box"})
    run = {"workflow_ref": f"acme/azul/{path}@{branch}", "job_workflow_ref": called, "ref": branch}

    begun = sample.as_run(**run, environment="dev box").post(VOYAGES, A_VOYAGE)

    assert (begun.status, begun["created_by"]) == (201, "repo:acme@65/azul@74:environment:dev box")


def test_without_a_publisher_a_pipeline_may_do_nothing(api, given, sample):
    given.the_usual()

    assert api.as_run().get("/v1/systems").problem == "forbidden"
    assert sample.as_run().post(VOYAGES, A_VOYAGE).problem == "forbidden"


@pytest.mark.parametrize(
    "claims",
    [
        {"repository_id": "75"},
        {"repository_owner_id": "66"},
        {"event_name": "pull_request"},
        {"job_workflow_ref": "evil/x/.github/workflows/deploy.yml@refs/heads/main"},
        {"workflow_ref": "acme/azul/.github/workflows/other.yml@refs/heads/main"},
    ],
    ids=str,
)
def test_a_run_that_no_publisher_trusts_may_do_nothing(api, given, sample, claims):
    given.the_usual()
    given.a_publisher()

    assert api.as_run(**claims).get("/v1/systems").problem == "forbidden"
    assert sample.as_run(**claims).post(VOYAGES, A_VOYAGE).problem == "forbidden"
    assert sample.get(VOYAGES)["items"] == []


def test_a_refusal_tells_the_runs_of_its_repository_what_the_publisher_expects(given, sample):
    given.the_usual()
    publisher = given.a_publisher()["id"]

    ours = sample.as_run(event_name="pull_request").post(VOYAGES, A_VOYAGE)
    strangers = sample.as_run(repository_id="75").post(VOYAGES, A_VOYAGE)

    assert f"publisher {publisher} of azul" in ours["detail"]
    assert "event_name" in ours["detail"]
    assert "publisher 1" not in strangers["detail"]


def test_a_publisher_gives_no_rights_in_another_system(api, given, sample):
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    given.a_publisher()
    run = api.as_run()

    assert [run.get(f"/v1/systems/{system}").status for system in ("azul", "blue", "nothing")] == [200, 403, 403]
    assert [each["key"] for each in run.get("/v1/systems")["items"]] == ["azul"]
    assert run.get("/v1/audit-events?system=azul").problem == "forbidden"
    assert sample.as_run().post(VOYAGES.replace("azul", "blue"), A_VOYAGE).problem == "forbidden"


@pytest.mark.parametrize("key", ["%00", "%ED%A0%80", "x" * 3000])
def test_no_publisher_trusts_a_run_in_a_system_that_cannot_exist(api, given, key):
    given.the_usual()
    given.a_publisher()

    assert api.as_run().get(f"/v1/systems/{key}").problem == "forbidden"


def test_rights_of_publishers_in_two_systems_do_not_add_up(given, sample):
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    given.a_publisher(kinds=["verifications"])
    given.a_publisher(system="blue", kinds=["deployments"], any_revision=True)
    run = sample.as_run()

    assert run.post(VOYAGES, A_VOYAGE).problem == "forbidden"
    assert run.post(VOYAGES.replace("azul", "blue"), A_VOYAGE).status == 201


def test_equal_ids_of_another_issuer_do_not_match(api, given, trusting):
    given.the_usual()
    given.a_publisher()
    trusting("local", "github-actions", another="https://github.example.org/_services/token")

    assert api.as_run().get("/v1/systems").status == 200
    assert api.as_run(iss="https://github.example.org/_services/token").get("/v1/systems").status == 403
    assert api.post(PATH, A_PUBLISHER).status == 422
    assert api.post(PATH, {**A_PUBLISHER, "issuer": "https://github.example.org/_services/token"}).status == 201
    assert api.as_run(iss="https://github.example.org/_services/token").get("/v1/systems").status == 200


def test_a_deleted_publisher_gives_no_rights(api, given, sample):
    given.the_usual()
    publisher = given.a_publisher()
    assert sample.as_run().post(VOYAGES, A_VOYAGE).status == 201

    api.delete(f"{PATH}/{publisher['id']}", if_match=publisher.headers["ETag"])

    assert sample.as_run().post(VOYAGES, A_VOYAGE).problem == "forbidden"
    assert api.as_run().get("/v1/systems").problem == "forbidden"


def test_a_pipeline_writes_only_kinds_of_record_that_its_publisher_names(given, sample):
    given.the_usual()
    given.a_publisher(kinds=["verifications"])

    assert sample.as_run().post(VOYAGES, A_VOYAGE).problem == "forbidden"
    assert sample.get(VOYAGES)["items"] == []


def test_a_pipeline_writes_for_an_environment_from_its_named_github_environment_only(given, sample):
    given.the_usual()
    given.a_publisher(environments={"development": None, "production": "production"})
    to_production = {**A_VOYAGE, "environment": "production"}

    assert sample.as_run(environment=None).post(VOYAGES, A_VOYAGE).status == 201
    for claim in (None, "development", "production-verify"):
        assert sample.as_run(environment=claim).post(VOYAGES, to_production).problem == "forbidden"
    assert sample.as_run(environment="production").post(VOYAGES, to_production).status == 201
    assert (
        sample.as_run(environment="production").post(VOYAGES, {**A_VOYAGE, "environment": "preproduction"}).problem
        == "forbidden"
    )


def test_a_publisher_lets_no_pipeline_read_or_create_publishers(api, given):
    given.the_usual()
    given.a_publisher()

    assert api.as_run().get(PATH).problem == "forbidden"
    assert api.as_run().post(PATH, A_PUBLISHER).problem == "forbidden"


def test_a_stored_answer_needs_a_publisher_that_still_trusts_the_run(api, given, sample):
    given.the_usual()
    publisher = given.a_publisher()
    first = sample.as_run().post(VOYAGES, A_VOYAGE, idempotency_key="one")
    replayed = sample.as_run().post(VOYAGES, A_VOYAGE, idempotency_key="one")
    api.delete(f"{PATH}/{publisher['id']}", if_match="*")

    assert (replayed.status, replayed.body) == (201, first.body)
    assert "Idempotency-Replayed" in replayed.headers
    assert sample.as_run().post(VOYAGES, A_VOYAGE, idempotency_key="one").problem == "forbidden"


def test_without_the_sql_of_the_publishers_no_run_gets_in_and_the_log_says_why(api, given, monkeypatch, caplog):
    given.the_usual()
    given.a_publisher()
    monkeypatch.setattr(admission, "publishers_column", None)
    monkeypatch.setattr(logger, "propagate", True)

    refused = api.as_run().get("/v1/systems/azul")

    assert (refused.status, refused.problem) == (500, "internal-error")
    assert "as app.py does" in caplog.text


def test_a_run_that_needs_a_higher_role_learns_that_no_publisher_gives_it(api, given):
    given.the_usual()
    given.a_publisher()

    refusal = api.as_run().get(PATH)

    assert (refusal.status, refusal.problem) == (403, "forbidden")
    assert "A pipeline can't have this role" in refusal["detail"]
