"""Idempotency-Key of a deployment that the gate denied, and of a dry run."""


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
