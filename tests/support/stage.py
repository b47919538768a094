"""The stage that tests run in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib import NAME
from chalicelib import settings as settings_module
from chalicelib.database import connection
from chalicelib.telemetry import logs
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


# A scheduled event, as in "Events from EventBridge" in the documentation of EventBridge.
SCHEDULED = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-03-01T12:00:00Z",
    "region": "eu-central-1",
    "resources": [f"arn:aws:events:eu-central-1:123456789012:rule/{NAME}-production-sweep-event"],
    "detail": {},
}


@contextmanager
def local_stage(database_url: str) -> Iterator[None]:
    """Use the stage `local` with this database during the block."""
    with _stage(SLIPWAY_STAGE="local", SLIPWAY_ISSUERS=json.dumps(ISSUERS), DATABASE_URL=database_url):
        yield


@contextmanager
def deployed_stage(**variables: str) -> Iterator[None]:
    """Use the stage `production` during the block, with the variables that Lambda sets for a function."""
    issuers = [issuer for issuer in ISSUERS if issuer["kind"] != "local"]
    with _stage(SLIPWAY_STAGE="production", SLIPWAY_ISSUERS=json.dumps(issuers), **variables):
        yield


@contextmanager
def _stage(**variables: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        settings_module.settings.cache_clear()
        logs.place.cache_clear()
        try:
            yield
        finally:
            connection.forget_connections()
    settings_module.settings.cache_clear()
    logs.place.cache_clear()
