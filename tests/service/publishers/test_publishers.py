"""Publishers: which pipelines may write which records of a system, and for which environments."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.rest import admission
from chalicelib.telemetry import logger
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.claims import GITHUB, RUN
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import A_PUBLISHER


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
        "publishers": {"SELECT": WHOLE, "INSERT": WHOLE, "DELETE": WHOLE},
    },
    out_of_reach={
        "publishers_system_id_fkey": "creating a publisher and deleting its system wait for each other",
    },
    writes={
        "POST /v1/systems/{system}/publishers": _creates_a_publisher,
        "DELETE /v1/systems/{system}/publishers/{id}": _deletes_a_publisher,
    },
    two=_two,
)


SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/publishers"
DEPLOYMENTS = f"{SYSTEM}/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), "revision": RUN["sha"], **fields}


def verification(environment="development", **fields):
    return {"environment": environment, "suite": "s", "trigger": "deployment", "outcome": "success", **fields}


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
        ("environments", {}),
        ("environments", None),
        ("environments", ["development"]),
        ("ref", None),
        ("ref", "main"),
        ("ref", "*"),
        ("ref", "refs/*"),
        ("ref", "refs/pull/1/merge"),
        ("ref", "refs/heads/****"),
        ("workflow", "deploy.yml"),
        ("workflow", ".github/workflows/../deploy.yml"),
        ("workflow", ".github/workflows/deploy.sh"),
        ("workflow", ".github/workflows/*.yml"),
        ("called_workflow", ".github/workflows/deploy.yml@refs/heads/main"),
        ("called_workflow", "acme/pipelines/.github/workflows/deploy.yml"),
        ("called_workflow", "acme/pipelines/.github/workflows/deploy.yml@****"),
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

    assert api.delete(SYSTEM, if_match="*").status == 204
    assert given.sql("SELECT count(*) FROM publishers") == [(0,)]


# A publisher gives rights to the runs that it trusts.


def test_a_pipeline_can_do_its_whole_work_with_its_publisher(api, given):
    given.the_usual()
    given.a_publisher()
    run = api.as_run()

    opened = run.post(DEPLOYMENTS, rollout())
    finished = run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "succeeded"})
    verified = run.post(f"{SYSTEM}/verifications", verification())
    decided = run.post(f"{SYSTEM}/promotions", {"environment": "development", "artifact": an_artifact()})
    read = run.get(f"{SYSTEM}/state")

    assert [each.status for each in (opened, finished, verified, decided, read)] == [201, 201, 201, 200, 200]
    assert opened["created_by"] == RUN["sub"]
    assert [opened[f"run_{name}"] for name in ("id", "attempt", "sha", "actor")] == [
        RUN["run_id"],
        RUN["run_attempt"],
        RUN["sha"],
        RUN["actor"],
    ]


def test_without_a_publisher_a_pipeline_may_do_nothing(api, given):
    given.the_usual()
    run = api.as_run()

    assert run.get("/v1/systems").problem == "forbidden"
    assert run.post(DEPLOYMENTS, rollout()).problem == "forbidden"
    assert run.post(f"{SYSTEM}/promotions", {**rollout(), "dry_run": True}).problem == "forbidden"


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
def test_a_run_that_no_publisher_trusts_may_do_nothing(api, given, claims):
    given.the_usual()
    given.a_publisher()
    run = api.as_run(**claims)

    assert run.get("/v1/systems").problem == "forbidden"
    assert run.post(DEPLOYMENTS, rollout()).problem == "forbidden"
    assert given.sql("SELECT count(*) FROM deployments") == [(0,)]


def test_a_refusal_tells_the_runs_of_its_repository_what_the_publisher_expects(api, given):
    given.the_usual()
    publisher = given.a_publisher()["id"]

    ours = api.as_run(event_name="pull_request").post(DEPLOYMENTS, rollout())
    strangers = api.as_run(repository_id="75").post(DEPLOYMENTS, rollout())

    assert f"publisher {publisher} of azul" in ours["detail"]
    assert "event_name" in ours["detail"]
    assert "publisher 1" not in strangers["detail"]


def test_a_publisher_gives_no_rights_in_another_system(api, given):
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    given.a_publisher()

    run = api.as_run()

    assert run.get("/v1/systems/blue").status == 200
    assert run.post("/v1/systems/blue/deployments", rollout()).problem == "forbidden"


def test_rights_of_publishers_in_two_systems_do_not_add_up(api, given):
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    given.a_publisher(kinds=["verifications"])
    given.a_publisher(system="blue", kinds=["deployments"], any_revision=True)
    run = api.as_run()

    assert run.post(DEPLOYMENTS, rollout()).problem == "forbidden"
    assert run.post("/v1/systems/blue/deployments", rollout()).status == 201


def test_equal_ids_of_another_issuer_do_not_match(api, given, trusting):
    given.the_usual()
    given.a_publisher()
    trusting("local", "github-actions", another="https://github.example.org/_services/token")

    assert api.as_run().get("/v1/systems").status == 200
    assert api.as_run(iss="https://github.example.org/_services/token").get("/v1/systems").status == 403
    assert api.post(PATH, A_PUBLISHER).status == 422
    assert api.post(PATH, {**A_PUBLISHER, "issuer": "https://github.example.org/_services/token"}).status == 201
    assert api.as_run(iss="https://github.example.org/_services/token").get("/v1/systems").status == 200


def test_a_deleted_publisher_gives_no_rights(api, given):
    given.the_usual()
    publisher = given.a_publisher()
    run = api.as_run()
    opened = run.post(DEPLOYMENTS, rollout())

    api.delete(f"{PATH}/{publisher['id']}", if_match=publisher.headers["ETag"])

    assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "succeeded"}).problem == "forbidden"
    assert run.get("/v1/systems").problem == "forbidden"


def test_a_pipeline_writes_only_the_named_kinds_of_record(api, given):
    given.the_usual()
    given.a_publisher(kinds=["verifications"])
    given.a_deployment()
    opened = given.a_deployment(state="in_progress")
    run = api.as_run()

    assert run.post(f"{SYSTEM}/verifications", verification()).status == 201
    assert run.post(DEPLOYMENTS, rollout()).problem == "forbidden"
    assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).problem == "forbidden"
    assert run.post(f"{SYSTEM}/promotions", {"environment": "development", "artifact": an_artifact()}).status == 403
    assert api.get(f"{DEPLOYMENTS}/{opened['id']}")["state"] == "in_progress"


def test_a_publisher_of_deployments_allows_no_verifications(api, given):
    given.the_usual()
    given.a_publisher(kinds=["deployments"])
    given.a_deployment()

    assert api.as_run().post(f"{SYSTEM}/verifications", verification()).problem == "forbidden"


def test_an_environment_is_written_from_its_named_github_environment_only(api, given):
    given.the_usual()
    given.a_publisher(environments={"development": None, "production": "production"})
    given.a_deployment(environment="production")
    opened = given.a_deployment(environment="production", state="in_progress")
    of_production = api.as_run(environment="production")

    assert api.as_run(environment=None).post(DEPLOYMENTS, rollout()).status == 201
    for claim in (None, "development", "production-verify"):
        run = api.as_run(environment=claim)
        assert run.post(DEPLOYMENTS, rollout("production")).problem == "forbidden"
        assert run.post(f"{SYSTEM}/verifications", verification("production")).problem == "forbidden"
        assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).problem == "forbidden"
    assert of_production.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).status == 201
    assert of_production.post(DEPLOYMENTS, rollout("production")).problem == "promotion-denied"
    assert of_production.post(DEPLOYMENTS, rollout("preproduction")).problem == "forbidden"


def test_a_publisher_never_gives_a_maintainers_rights(api, given):
    given.the_usual()
    given.a_publisher()
    run = api.as_run()
    over = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}

    assert run.post(DEPLOYMENTS, rollout(override_reason="I want to deploy now")).problem == "forbidden"
    assert run.post(DEPLOYMENTS, rollout(imported=True, state="succeeded", **over)).problem == "forbidden"
    assert run.get(PATH).problem == "forbidden"
    assert run.post(PATH, A_PUBLISHER).problem == "forbidden"


# A publisher limits the revisions that a run may deploy.


@pytest.mark.parametrize("kind", ["rollout", "hotfix"])
@pytest.mark.parametrize("revision", [None, a_revision("another")])
def test_a_run_may_roll_out_only_its_own_commit(api, given, kind, revision):
    given.the_usual()
    given.a_publisher()

    answer = api.as_run().post(DEPLOYMENTS, rollout(kind=kind, revision=revision))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/revision")
    assert api.get(DEPLOYMENTS)["items"] == []


def test_a_rollback_names_the_revision_that_it_goes_back_to(api, given):
    given.the_usual()
    given.a_publisher()
    given.a_deployment(an_artifact("first"), revision=a_revision("first"))
    given.a_deployment(an_artifact("second"))

    answer = api.as_run().post(DEPLOYMENTS, rollout(kind="rollback", revision=a_revision("first")))

    assert (answer.status, answer["revision"], answer["run_sha"]) == (201, a_revision("first"), RUN["sha"])


def test_a_publisher_may_allow_any_revision(api, given):
    given.the_usual()
    given.a_publisher(any_revision=True)

    assert api.as_run().post(DEPLOYMENTS, rollout(revision=a_revision("another"))).status == 201


def test_people_may_deploy_any_revision(api, given):
    given.the_usual()

    assert api.as_member("azul-pipelines").post(DEPLOYMENTS, rollout(revision=None)).status == 201


# A run may retry a request.


def test_a_retried_run_without_a_key_records_one_deployment(api, given):
    given.the_usual()
    given.a_publisher()

    first = api.as_run().post(DEPLOYMENTS, rollout())
    again = api.as_run().post(DEPLOYMENTS, rollout())

    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert given.sql("SELECT count(*) FROM deployments") == [(1,)]


def test_one_run_may_record_a_rollout_and_a_rollback(api, given):
    given.the_usual()
    given.a_publisher()
    given.a_deployment(an_artifact("good"), revision=a_revision("good"))
    run = api.as_run()

    rolled_out = run.post(DEPLOYMENTS, rollout(artifact=an_artifact("bad")))
    run.post(f"{DEPLOYMENTS}/{rolled_out['id']}/statuses", {"state": "succeeded"})
    back = run.post(DEPLOYMENTS, rollout(artifact=an_artifact("good"), kind="rollback", revision=a_revision("good")))

    assert (rolled_out.status, back.status) == (201, 201)
    assert rolled_out["run_id"] == back["run_id"] == RUN["run_id"]


def test_a_stored_answer_needs_a_publisher_that_still_trusts_the_run(api, given):
    given.the_usual()
    publisher = given.a_publisher()
    first = api.as_run().post(DEPLOYMENTS, rollout(), idempotency_key="one")
    replayed = api.as_run().post(DEPLOYMENTS, rollout(), idempotency_key="one")
    api.delete(f"{PATH}/{publisher['id']}", if_match="*")

    assert (replayed.status, replayed.body) == (201, first.body)
    assert "Idempotency-Replayed" in replayed.headers
    assert api.as_run().post(DEPLOYMENTS, rollout(), idempotency_key="one").problem == "forbidden"


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
