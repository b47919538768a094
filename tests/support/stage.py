"""The stage that tests run in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib import settings as settings_module
from chalicelib.database import connection
from tests.support.claims import GITHUB, ISSUER, PEOPLE

ISSUERS = [
    {"kind": "local", "issuer": ISSUER, "audience": "service", "algorithm": "ES256"},
    {"kind": "github-actions", "issuer": GITHUB, "audience": "service", "algorithm": "RS256"},
    {
        "kind": "people",
        "issuer": PEOPLE,
        "audience": "service",
        "audience_claim": "client_id",
        "algorithm": "RS256",
        "groups_claim": "cognito:groups",
        "groups": {
            "everybody": {"role": "viewer"},
            "azul-pipelines": {"role": "pipeline", "systems": ["azul"]},
            "azul-maintainers": {"role": "maintainer", "systems": ["azul"]},
            "blue-maintainers": {"role": "maintainer", "systems": ["blue"]},
            "all-maintainers": {"role": "maintainer", "systems": "all"},
            "admins": {"role": "admin"},
        },
    },
]


@contextmanager
def local_stage(database_url: str) -> Iterator[None]:
    """Use the stage `local` with this database during the block."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLIPWAY_STAGE", "local")
        environment.setenv("SLIPWAY_ISSUERS", json.dumps(ISSUERS))
        environment.setenv("DATABASE_URL", database_url)
        settings_module.settings.cache_clear()
        try:
            yield
        finally:
            connection.forget_connections()
    settings_module.settings.cache_clear()
