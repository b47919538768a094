"""A publisher gives rights to the runs that it trusts, and to no others."""

import pytest

from chalicelib.rest import admission
from tests.support.claims import RUN_SUBJECT
from tests.support.given import A_PUBLISHER
from tests.support.sample import A_VOYAGE, VOYAGES

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/publishers"


def test_a_pipeline_writes_the_records_that_its_publisher_names(given, sample):
    given.the_usual()
    given.a_publisher()

    begun = sample.as_run().post(VOYAGES, A_VOYAGE)

    assert (begun.status, begun["created_by"]) == (201, RUN_SUBJECT)
    assert sample.as_run().get(VOYAGES)["items"] == [begun.json]


def test_names_may_have_all_characters_that_github_allows(given, sample):
    given.the_usual()
    path, branch = ".github/workflows/Deploy to prod (" + "é" * 230 + ").yml", "refs/heads/größer\u3000\xa0/#1\u200d💻"
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


def test_without_the_sql_of_the_publishers_no_run_gets_in_and_the_log_says_why(api, given, monkeypatch, log):
    given.the_usual()
    given.a_publisher()
    monkeypatch.setattr(admission, "publishers_column", None)

    refused = api.as_run().get("/v1/systems/azul")

    assert (refused.status, refused.problem) == (500, "internal-error")
    assert log[-1]["exception"].endswith("builtins.LookupError")
    assert "has no SQL for publishers" in log[-1]["exception"]  # the line of code that raised it


def test_a_run_that_needs_a_higher_role_learns_that_no_publisher_gives_it(api, given):
    given.the_usual()
    given.a_publisher()

    refusal = api.as_run().get(PATH)

    assert (refusal.status, refusal.problem) == (403, "forbidden")
    assert "A pipeline can't have this role" in refusal["detail"]
