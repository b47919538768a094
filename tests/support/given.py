"""Make the records that a test starts with. Fields have defaults, so a test gives only the fields that matter to it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg2

from tests.support.api import Answer, Api
from tests.support.postgres import SUPERUSER, as_login

RANKS = {"development": 1, "preproduction": 2, "production": 3}

# The query of a DELETE that takes a reason.
BECAUSE = "?reason=It%20was%20made%20by%20mistake"

A_PUBLISHER = {
    "repository": "acme/azul",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/main",
    "environments": {"development": None},
}


def ahead(**time: float) -> str:
    """Return a time in the future: `ahead(hours=1)`."""
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


class Given:
    """The factories for all tests. A package adds its own factories in tests/service/<package>/records.py."""

    def __init__(self, api: Api, database_url: str) -> None:
        self._api = api
        self._database_url = database_url

    def a_system(self, key: str = "azul", **fields: Any) -> str:
        self.post("/v1/systems", {"key": key, "name": key.capitalize(), **fields})
        return key

    def an_environment(self, name: str = "development", *, system: str = "azul", **fields: Any) -> Answer:
        body = {"name": name, "rank": RANKS.get(name, 9), "production": name == "production", **fields}
        return self.post(f"/v1/systems/{system}/environments", body)

    def a_system_with_an_environment(self) -> str:
        system = self.a_system()
        self.an_environment()
        return system

    def the_usual(self, **production: Any) -> str:
        """Make a system with development, preproduction and production."""
        system = self.a_system()
        self.an_environment("development")
        self.an_environment("preproduction")
        self.an_environment("production", **production)
        return system

    def a_publisher(self, *, system: str = "azul", **fields: Any) -> Answer:
        """Make a publisher that trusts the runs of `api.as_run()` in any GitHub environment.

        The reason is for a production environment of a system that names no repository.
        """
        body = {**A_PUBLISHER, "reason": "The test starts with this record", **fields}
        return self.post(f"/v1/systems/{system}/publishers", body)

    def two_of_everything(self, system: str = "azul") -> None:
        """Make a system with at least two rows in each of its lists, and in each table of records."""
        from tests.support.resources import RESOURCES  # noqa: PLC0415 (the tests of the packages import this module)

        for each in RESOURCES.values():
            each.two(self, system)

    def time_passes(self, seconds: int) -> None:
        """Move all times in the database `seconds` into the past, as if the test had waited."""
        moments = self.sql(
            """
            SELECT table_name, string_agg(format('%%1$I = %%1$I - %%2$L::interval', column_name, %s), ', ')
            FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND is_generated = 'NEVER'
            GROUP BY table_name
            """,
            f"{seconds} seconds",
        )
        # Triggers refuse changes of records, so disable triggers.
        updates = [f"UPDATE {table} SET {changes}" for table, changes in moments]
        self.sql("; ".join(["SET session_replication_role = replica", *updates]))

    def post(self, path: str, body: Any) -> Answer:
        """Send a POST that must succeed; return its answer."""
        return made(self._api.post(path, body))

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser; return its rows, if any."""
        with closing(psycopg2.connect(as_login(self._database_url, SUPERUSER))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []


def made(answer: Answer) -> Answer:
    assert answer.status in (200, 201), answer
    return answer


def _factories() -> list[type]:
    """Return the class Records of each package that has one."""
    service = Path(__file__).parents[1] / "service"
    names = sorted(path.parent.name for path in service.glob("*/records.py"))
    return [import_module(f"tests.service.{name}.records").Records for name in names]


def given_with_all_factories(api: Api, database_url: str) -> Given:
    """Return `given`, which has the factories of this module and of every package."""
    given: Given = type("Given", (*_factories(), Given), {})(api, database_url)
    return given
