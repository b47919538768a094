"""Health and readiness, which anyone may ask for."""

from chalicelib import __version__
from tests.support.expected import Expected

EXPECTED = Expected(
    roles={
        "GET /v1/health": "public",
        "GET /v1/ready": "public",
    },
)


def test_it_is_healthy_without_a_database(api, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")

    assert api.as_(None).get("/v1/health").json == {"status": "ok", "version": __version__, "package": None}


def test_it_says_which_package_runs(api, monkeypatch):
    monkeypatch.setenv("SLIPWAY_PACKAGE", f"sha256:{'5b' * 32}")

    assert api.as_(None).get("/v1/health")["package"] == f"sha256:{'5b' * 32}"
