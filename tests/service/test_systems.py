"""Systems: their life, and what they keep."""


def test_a_system_is_created_and_read(api):
    created = api.post(
        "/v1/systems", {"key": "azul", "name": "Azul", "repository": "https://github.com/DataBiosphere/azul"}
    )

    assert created.status == 201
    assert created.headers["Location"] == "/v1/systems/azul"
    assert api.get("/v1/systems/azul").json == created.json
    assert created["artifact_kind"] == "tree"
