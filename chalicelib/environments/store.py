"""Environments in PostgreSQL."""

from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.environments.model import Environment, NewEnvironment, Rank
from chalicelib.rest import problems
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem

ORDER = Keyset(rank=Rank)

_COLUMNS = """
    e.name, e.rank, e.aws_account_id, e.region, e.base_url, e.production, e.required_soak_seconds,
    e.verification_max_age_seconds, e.required_suites, e.workspace_hosts, e.created_at
"""


def get(db: Database, system: str, name: str) -> Environment:
    """Return the environment, or raise problem 404."""
    environment = db.select_one(
        Environment,
        f"""
        SELECT {_COLUMNS} FROM environments e JOIN systems s ON s.id = e.system_id
        WHERE s.key = %(system)s AND e.name = %(name)s
        """,
        system=system,
        name=name,
    )
    if environment is None:
        raise not_found(system, name)
    return environment


def not_found(system: str, name: str) -> Problem:
    return Problem(
        problems.not_found,
        f"The system {system!r} has no environment {name!r}. Check the names, or create the environment.",
    )


def list_(db: Database, system: str, *, limit: int, after: tuple[Any, ...] | None) -> list[Environment]:
    return db.select(
        Environment,
        f"""
        SELECT {_COLUMNS} FROM environments e JOIN systems s ON s.id = e.system_id
        WHERE s.key = %(system)s AND e.rank > %(after)s
        ORDER BY e.rank LIMIT %(limit)s
        """,
        system=system,
        limit=limit,
        after=after[0] if after else 0,
    )


def insert(db: Database, system: str, new: NewEnvironment) -> Environment | None:
    """Return the new environment, or None if the system does not exist."""
    return db.select_one(
        Environment,
        f"""
        INSERT INTO environments AS e (
            system_id, name, rank, aws_account_id, region, base_url, production,
            required_soak_seconds, verification_max_age_seconds, required_suites, workspace_hosts
        )
        SELECT id, %(name)s, %(rank)s, %(aws_account_id)s, %(region)s, %(base_url)s, %(production)s,
            %(required_soak_seconds)s, %(verification_max_age_seconds)s, %(required_suites)s::text[],
            %(workspace_hosts)s::text[]
        FROM systems WHERE key = %(system)s
        RETURNING {_COLUMNS}
        """,
        system=system,
        **_columns(new),
    )


def update(db: Database, system: str, environment: Environment) -> None:
    db.execute(
        """
        UPDATE environments e SET
            rank = %(rank)s, aws_account_id = %(aws_account_id)s, region = %(region)s, base_url = %(base_url)s,
            production = %(production)s, required_soak_seconds = %(required_soak_seconds)s,
            verification_max_age_seconds = %(verification_max_age_seconds)s,
            required_suites = %(required_suites)s::text[], workspace_hosts = %(workspace_hosts)s::text[]
        FROM systems s WHERE s.id = e.system_id AND s.key = %(system)s AND e.name = %(name)s
        """,
        system=system,
        **_columns(environment),
    )


def delete(db: Database, system: str, name: str) -> None:
    db.execute(
        """
        DELETE FROM environments e USING systems s
        WHERE s.id = e.system_id AND s.key = %(system)s AND e.name = %(name)s
        """,
        system=system,
        name=name,
    )


def _columns(environment: NewEnvironment | Environment) -> dict[str, Any]:
    # psycopg2 turns a list into an array, but a tuple into a composite.
    columns = msgspec.structs.asdict(environment)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in columns.items()}
