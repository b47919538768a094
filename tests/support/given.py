"""Make the records that a test starts with. Fields have defaults, so a test gives only the fields that matter to it."""

import hashlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2

from tests.support.api import Answer, Api
from tests.support.postgres import SUPERUSER, as_login

RANKS = {"development": 1, "preproduction": 2, "production": 3}

A_PUBLISHER = {
    "repository": "acme/azul",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/main",
    "environments": {"development": None},
}


def an_artifact(name: str = "first") -> str:
    """Return an artifact for a name. The same name always gives the same artifact."""
    return f"tree:{hashlib.sha1(name.encode()).hexdigest()}"  # noqa: S324


def a_revision(name: str = "first") -> str:
    return hashlib.sha1(f"revision {name}".encode()).hexdigest()  # noqa: S324


def ahead(**time: float) -> str:
    """Return a time in the future: `ahead(hours=1)`."""
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


class Given:
    def __init__(self, api: Api, database_url: str) -> None:
        self._api = api
        self._database_url = database_url

    def a_system(self, key: str = "azul", **fields: Any) -> str:
        self.post("/v1/systems", {"key": key, "name": key.capitalize(), **fields})
        return key

    def an_environment(self, name: str = "development", *, system: str = "azul", **fields: Any) -> Answer:
        body = {"name": name, "rank": RANKS.get(name, 9), "production": name == "production", **fields}
        return self.post(f"/v1/systems/{system}/environments", body)

    def the_usual(self, **production: Any) -> str:
        """Make a system with development, preproduction and production; return its key."""
        system = self.a_system()
        self.an_environment("development")
        self.an_environment("preproduction")
        self.an_environment("production", **production)
        return system

    def a_deployment(
        self,
        artifact: str | None = None,
        *,
        environment: str = "development",
        state: str = "succeeded",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        """Record a deployment in a state. An override skips the gate, so a test can start with any deployment."""
        body = {
            "environment": environment,
            "artifact": artifact or an_artifact(),
            "override_reason": "The test starts with this record",
            **fields,
        }
        deployment = self.post(f"/v1/systems/{system}/deployments", body)
        if state != "in_progress":
            self.a_status(deployment["id"], state, system=system)
        return deployment

    def a_status(self, deployment: str, state: str, *, system: str = "azul", **fields: Any) -> Answer:
        path = f"/v1/systems/{system}/deployments/{deployment}/statuses"
        return self.post(path, {"state": state, **fields})

    def a_verification(
        self,
        *,
        environment: str = "development",
        outcome: str = "success",
        suite: str = "acceptance",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "suite": suite,
            "trigger": "deployment",
            "outcome": outcome,
            **fields,
        }
        return self.post(f"/v1/systems/{system}/verifications", body)

    def a_publisher(self, *, system: str = "azul", **fields: Any) -> Answer:
        """Make a publisher that trusts the runs of `api.as_run()` in any GitHub environment."""
        body = {**A_PUBLISHER, **fields}
        return self.post(f"/v1/systems/{system}/publishers", body)

    def a_workspace(
        self,
        name: str = "debug",
        *,
        environment: str = "development",
        purpose: str = "debug",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "name": name,
            "purpose": purpose,
            "reason": "The test starts with this record",
            "expires_at": ahead(hours=24),
            **fields,
        }
        return self.post(f"/v1/systems/{system}/workspaces", body)

    def a_route(
        self, workspace: str, client: str = "jane@example.org", *, system: str = "azul", **fields: Any
    ) -> Answer:
        path = f"/v1/systems/{system}/workspaces/{workspace}/routes/{client}"
        return made(self._api.send("PUT", path, {"until": ahead(hours=1), **fields}))

    def an_import(
        self,
        artifact: str | None = None,
        *,
        environment: str = "development",
        at: str = "2026-01-01T00:00:00Z",
        state: str = "succeeded",
        system: str = "azul",
        **fields: Any,
    ) -> Answer:
        body = {
            "environment": environment,
            "artifact": artifact or an_artifact(),
            "imported": True,
            "state": state,
            "started_at": at,
            "finished_at": at,
            **fields,
        }
        return self.post(f"/v1/systems/{system}/deployments", body)

    def two_of_everything(self, system: str = "azul") -> None:
        """Make a system with at least two rows in each of its lists, and in each table of records."""
        self.a_system(system)
        self.an_environment("development", system=system)
        self.an_environment("production", system=system)
        workspaces = [self.a_workspace(name, system=system)["id"] for name in ("first", "second")]
        for name in ("first", "second"):
            commits = [{"sha": a_revision(name), "authored_at": "2026-01-01T00:00:00Z"}]
            self.a_deployment(an_artifact(name), system=system, commits=commits)
            self.a_verification(system=system)
            self.a_publisher(system=system, ref=f"refs/heads/{name}")
        for client in ("jane", "joe"):
            self.a_route(workspaces[0], client, system=system)

    def time_passes(self, seconds: int) -> None:
        """Move all times in the database `seconds` into the past, as if the test had waited."""
        moments = self.sql(
            """
            SELECT table_name, string_agg(format('%%1$I = %%1$I - %%2$L::interval', column_name, %s), ', ')
            FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
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
