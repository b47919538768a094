"""Create, change and delete a system. A retry, or a request with a stale ETag, changes nothing."""

from tools.local.acceptance.service import Service


def test_a_system_is_created_once_changed_with_its_etag_and_deleted(service: Service, own_system: str) -> None:
    address = f"/v1/systems/{own_system}"
    body = {"key": own_system, "name": "Acceptance tests", "description": "The acceptance tests delete this system"}
    key = {"idempotency_key": own_system}

    created = service.post("/v1/systems", body, **key).expect(201)
    replayed = service.post("/v1/systems", body, **key).expect(201)
    assert created.headers["Location"].endswith(address)
    assert replayed.headers.get("Idempotency-Replayed") == "true", (
        "a repeated POST was answered as a new one: send the header Idempotency-Replayed with the value true"
    )
    assert replayed.body == created.body
    assert service.post("/v1/systems", body).expect(409).problem == "already-exists"
    assert service.post("/v1/systems", {**body, "name": "Other"}, **key).expect(422).problem == "idempotency-key-reused"

    tag = service.get(address).expect(200).headers["ETag"]
    change = {"description": "Changed"}
    assert service.ask("PATCH", address, change).expect(428).problem == "precondition-required"
    changed = service.ask("PATCH", address, change, {"If-Match": tag}).expect(200)
    assert changed.json == {**created.json, **change}
    assert service.ask("PATCH", address, change, {"If-Match": tag}).expect(412).problem == "precondition-failed"

    service.ask("DELETE", address, headers={"If-Match": tag}).expect(412)
    service.ask("DELETE", address, headers={"If-Match": changed.headers["ETag"]}).expect(204)
    service.get(address).expect(404)
