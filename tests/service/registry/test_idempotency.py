"""Idempotency-Key of a deployment that the gate denied, of a dry run, and of the jobs of a run."""


def test_a_refusal_that_was_recorded_is_evaluated_again(api, given):
    given.the_usual()
    artifact = given.a_deployment()["artifact"]
    body = {"environment": "preproduction", "artifact": artifact}
    denied = api.post("/v1/systems/azul/deployments", body, idempotency_key="one")
    given.a_verification()

    opened = api.post("/v1/systems/azul/deployments", body, idempotency_key="one")

    assert (denied.status, opened.status) == (409, 201)


def test_a_dry_run_is_evaluated_each_time(api, given):
    given.the_usual()
    artifact = given.a_deployment()["artifact"]
    path = "/v1/systems/azul/promotions"
    body = {"environment": "preproduction", "artifact": artifact, "dry_run": True}
    denied = api.post(path, body, idempotency_key="one")
    given.a_verification()

    granted = api.post(path, body, idempotency_key="one")
    recorded = api.post(path, {**body, "dry_run": False}, idempotency_key="one")
    again = api.post(path, body, idempotency_key="one")

    assert [answer["decision"] for answer in (denied, granted, recorded, again)] == ["denied", *["granted"] * 3]
    assert not any("Idempotency-Replayed" in answer.headers for answer in (granted, recorded, again))
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(1,)]


def test_a_job_gets_neither_the_key_nor_the_answer_of_a_job_that_may_do_more(api, given):
    given.the_usual()
    given.a_publisher(environments={"development": None, "preproduction": "preproduction"}, any_revision=True)
    path = "/v1/systems/azul/verifications"
    test = {"suite": "acceptance", "trigger": "manual", "outcome": "success"}
    low, high = api.as_run(environment=None), api.as_run(environment="preproduction")
    of_development = {**test, "deployment": given.a_deployment()["id"]}
    of_preproduction = {**test, "deployment": given.a_deployment(environment="preproduction")["id"]}

    stored = high.post(path, of_preproduction, idempotency_key="one")
    refused = low.post(path, of_preproduction, idempotency_key="one")
    taken = low.post(path, of_development, idempotency_key="one")
    repeated = high.post(path, of_preproduction, idempotency_key="one")

    assert (stored.status, refused.problem, taken.status) == (201, "forbidden", 201)
    assert "Idempotency-Replayed" in repeated.headers
