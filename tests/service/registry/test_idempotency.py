"""Idempotency-Key of a deployment that the gate denied."""


def test_a_refusal_that_was_recorded_is_evaluated_again(api, given):
    given.the_usual()
    artifact = given.a_deployment()["artifact"]
    body = {"environment": "preproduction", "artifact": artifact}
    denied = api.post("/v1/systems/azul/deployments", body, idempotency_key="one")
    given.a_verification()

    opened = api.post("/v1/systems/azul/deployments", body, idempotency_key="one")

    assert (denied.status, opened.status) == (409, 201)
