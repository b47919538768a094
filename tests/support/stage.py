"""The stage that tests run in."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib import settings as settings_module
from chalicelib.database import connection
from tests.support.api import ISSUER


@contextmanager
def local_stage(database_url: str) -> Iterator[None]:
    """The stage `local` on a database."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLIPWAY_STAGE", "local")
        environment.setenv(
            "SLIPWAY_ISSUERS",
            f'[{{"kind": "local", "issuer": "{ISSUER}", "audience": "slipway", "algorithm": "ES256"}}]',
        )
        environment.setenv("DATABASE_URL", database_url)
        settings_module.settings.cache_clear()
        try:
            yield
        finally:
            connection.forget_connections()
    settings_module.settings.cache_clear()
