"""Health and readiness, which anyone may ask for."""

from tests.support.expected import Expected

EXPECTED = Expected(
    roles={
        "GET /v1/health": "public",
        "GET /v1/ready": "public",
    },
)


def test_it_is_healthy_without_a_database(api, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")

    assert api.as_(None).get("/v1/health").status == 200
