"""The records of the registry that a pipeline writes through its publishers."""

import pytest

from tests.service.deployments.records import a_revision, an_artifact
from tests.support.claims import RUN, RUN_SUBJECT

SYSTEM = "/v1/systems/azul"
PUBLISHERS = f"{SYSTEM}/publishers"
DEPLOYMENTS = f"{SYSTEM}/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), "revision": RUN["sha"], **fields}


def verification(tested, **fields):
    return {"deployment": tested["id"], "suite": "s", "trigger": "deployment", "outcome": "success", **fields}


def test_a_pipeline_can_do_its_whole_work_with_its_publisher(api, given):
    given.the_usual()
    given.a_publisher()
    run = api.as_run()

    opened = run.post(DEPLOYMENTS, rollout())
    finished = run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "succeeded"})
    verified = run.post(f"{SYSTEM}/verifications", verification(opened))
    decided = run.post(f"{SYSTEM}/promotions", {"environment": "development", "artifact": an_artifact()})
    read = run.get(f"{SYSTEM}/state")

    assert [each.status for each in (opened, finished, verified, decided, read)] == [201, 201, 201, 200, 200]
    assert opened["created_by"] == RUN_SUBJECT
    assert [opened[f"run_{name}"] for name in ("id", "attempt", "sha", "actor")] == [
        RUN["run_id"],
        RUN["run_attempt"],
        RUN["sha"],
        RUN["actor"],
    ]


def test_a_pipeline_writes_only_the_named_kinds_of_record(api, given):
    given.the_usual()
    publisher = given.a_publisher()["id"]
    run = api.as_run()
    tested = given.a_deployment()
    opened = run.post(DEPLOYMENTS, rollout())
    given.a_publisher(kinds=["verifications"])
    api.delete(f"{PUBLISHERS}/{publisher}", if_match="*")

    assert run.post(f"{SYSTEM}/verifications", verification(tested)).status == 201
    assert run.post(DEPLOYMENTS, rollout()).problem == "forbidden"
    assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).problem == "forbidden"
    assert run.post(f"{SYSTEM}/promotions", {"environment": "development", "artifact": an_artifact()}).status == 403
    assert api.get(f"{DEPLOYMENTS}/{opened['id']}")["state"] == "in_progress"


def test_a_publisher_of_deployments_allows_no_verifications(api, given):
    given.the_usual()
    given.a_publisher(kinds=["deployments"])
    tested = given.a_deployment()

    assert api.as_run().post(f"{SYSTEM}/verifications", verification(tested)).problem == "forbidden"


def test_an_environment_is_written_from_its_named_github_environment_only(api, given):
    given.the_usual()
    given.a_publisher(environments={"development": None, "production": "production"})
    given.a_deployment(environment="preproduction")
    given.a_verification(environment="preproduction")
    of_production = api.as_run(environment="production")
    opened = of_production.post(DEPLOYMENTS, rollout("production"))

    assert api.as_run(environment=None).post(DEPLOYMENTS, rollout()).status == 201
    for claim in (None, "development", "production-verify"):
        run = api.as_run(environment=claim)
        assert run.post(DEPLOYMENTS, rollout("production")).problem == "forbidden"
        assert run.post(f"{SYSTEM}/verifications", verification(opened)).problem == "forbidden"
        assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).problem == "forbidden"
    assert of_production.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).status == 201
    unknown = rollout("production", artifact=an_artifact("unknown"))
    assert of_production.post(DEPLOYMENTS, unknown).problem == "promotion-denied"
    assert of_production.post(DEPLOYMENTS, rollout("preproduction")).problem == "forbidden"


def test_a_publisher_never_gives_a_maintainers_rights(api, given):
    given.the_usual()
    given.a_publisher()
    run = api.as_run()
    over = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}

    assert run.post(DEPLOYMENTS, rollout(override_reason="I want to deploy now")).problem == "forbidden"
    assert run.post(DEPLOYMENTS, rollout(imported=True, state="succeeded", **over)).problem == "forbidden"


def test_without_a_publisher_a_pipeline_gets_no_decision(api, given):
    given.the_usual()

    assert api.as_run().post(f"{SYSTEM}/promotions", {**rollout(), "dry_run": True}).problem == "forbidden"


def test_a_deployment_can_no_longer_be_finished_after_the_publisher_is_deleted(api, given):
    given.the_usual()
    publisher = given.a_publisher()
    run = api.as_run()
    opened = run.post(DEPLOYMENTS, rollout())

    api.delete(f"{PUBLISHERS}/{publisher['id']}", if_match=publisher.headers["ETag"])

    assert run.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "succeeded"}).problem == "forbidden"


# A pipeline changes only the deployments that its own repository opened.


def test_only_runs_of_the_repository_that_opened_a_deployment_may_finish_it(api, given):
    given.the_usual()
    given.a_publisher()
    given.a_publisher(repository_id="75")
    opened = api.as_run().post(DEPLOYMENTS, rollout())
    path = f"{DEPLOYMENTS}/{opened['id']}"

    for state in ("in_progress", "succeeded", "failed", "cancelled"):
        refused = api.as_run(repository_id="75").post(f"{path}/statuses", {"state": state})
        assert (refused.status, refused.problem) == (403, "forbidden")
    assert api.get(path).json == opened.json

    later = api.as_run(run_id="4712", run_attempt="2", event_name="schedule")
    assert later.post(f"{path}/statuses", {"state": "failed"}).status == 201


def test_a_maintainer_may_finish_any_deployment(api, given):
    given.the_usual()
    given.a_publisher()
    of_run = api.as_run().post(DEPLOYMENTS, rollout())

    assert api.as_("maintainer").post(f"{DEPLOYMENTS}/{of_run['id']}/statuses", {"state": "cancelled"}).status == 201


@pytest.mark.parametrize("who", ["run", "local", "person"])
def test_a_pipeline_may_continue_what_a_person_opened(api, given, who):
    given.the_usual()
    given.a_publisher()
    opened = given.a_deployment(state="in_progress")
    caller = {"run": api.as_run(), "local": api.as_("pipeline"), "person": api.as_member("azul-pipelines")}[who]

    assert caller.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "failed"}).status == 201


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


def test_equal_runs_of_two_repositories_are_two_runs(api, given):
    given.the_usual()
    given.a_publisher()
    given.a_publisher(repository_id="75")
    first = api.as_run(sub="customised").post(DEPLOYMENTS, rollout())
    given.a_status(first["id"], "succeeded")

    second = api.as_run(sub="customised", repository_id="75").post(DEPLOYMENTS, rollout())

    assert (first.status, second.status) == (201, 201)
    assert first["run_id"] == second["run_id"]
    assert given.sql("SELECT repository_id FROM deployments ORDER BY id") == [("74",), ("75",)]


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
