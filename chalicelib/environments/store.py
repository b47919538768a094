"""Environments in PostgreSQL."""

from typing import Any, NamedTuple

import msgspec

from chalicelib.database.connection import Database
from chalicelib.environments.model import Environment, NewEnvironment, Rank
from chalicelib.rest import problems
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem

ORDER = Keyset(rank=Rank)

_COLUMNS = """
    e.name, e.rank, e.aws_account_id, e.region, e.base_url, e.production, e.required_soak_seconds,
    e.verification_max_age_seconds, e.required_suites, e.required_approvals, e.workspace_hosts, e.created_at
"""


_OF_SYSTEM = "FROM environments e JOIN systems s ON s.id = e.system_id WHERE s.key = %(system)s"


def get(db: Database, system: str, name: str) -> Environment:
    """Return the environment, or raise problem 404."""
    environment = db.select_one(
        Environment,
        f"SELECT {_COLUMNS} {_OF_SYSTEM} AND e.name = %(name)s",
        system=system,
        name=name,
    )
    if environment is None:
        raise not_found(system, name)
    return environment


def get_among(db: Database, system: str, name: str) -> tuple[Environment, list[Environment]]:
    """Return the environment and all environments of its system, or raise problem 404."""
    environments = db.select(
        Environment,
        f"SELECT {_COLUMNS} {_OF_SYSTEM} ORDER BY e.rank",
        system=system,
    )
    for environment in environments:
        if environment.name == name:
            return environment, environments
    raise not_found(system, name)


def not_found(system: str, name: str) -> Problem:
    return Problem(
        problems.not_found,
        f"The system {system!r} has no environment {name!r}. Check the names, or create the environment.",
    )


def list_(db: Database, system: str, *, limit: int, after: tuple[Any, ...] | None) -> list[Environment]:
    return db.select(
        Environment,
        f"""
        SELECT {_COLUMNS} {_OF_SYSTEM} AND e.rank > %(after)s
        ORDER BY e.rank LIMIT %(limit)s
        """,
        system=system,
        limit=limit,
        after=after[0] if after else 0,
    )


class Inserted(NamedTuple):
    """A new environment, and what the rules about it need.

    `neighbours` are the environments directly before and after it. `first_system` named its AWS account first.
    """

    environment: Environment
    neighbours: list[Environment]
    first_system: str | None


def insert(db: Database, system: str, new: NewEnvironment) -> Inserted | None:
    """Insert an environment. Return None if the system does not exist."""
    row = db.row(
        f"""
        INSERT INTO environments AS e (
            system_id, name, rank, aws_account_id, region, base_url, production,
            required_soak_seconds, verification_max_age_seconds, required_suites, required_approvals, workspace_hosts
        )
        SELECT id, %(name)s, %(rank)s, %(aws_account_id)s, %(region)s, %(base_url)s, %(production)s,
            %(required_soak_seconds)s, %(verification_max_age_seconds)s, %(required_suites)s::text[],
            %(required_approvals)s, %(workspace_hosts)s::text[]
        FROM systems WHERE key = %(system)s
        RETURNING {_COLUMNS}, first_system_of_aws_account(e.aws_account_id) AS first_system, (
            SELECT coalesce(json_agg(neighbour), '[]') FROM (
                (SELECT {_COLUMNS} {_OF_SYSTEM} AND e.rank < %(rank)s ORDER BY e.rank DESC LIMIT 1)
                UNION ALL
                (SELECT {_COLUMNS} {_OF_SYSTEM} AND e.rank > %(rank)s ORDER BY e.rank LIMIT 1)
            ) AS neighbour
        ) AS neighbours
        """,
        system=system,
        **_columns(new),
    )
    if row is None:
        return None
    neighbours = msgspec.convert(row.pop("neighbours"), list[Environment])
    first_system = row.pop("first_system")
    return Inserted(Environment(**row), neighbours, first_system)


def update(db: Database, system: str, environment: Environment) -> str | None:
    """Update an environment. Return the system that named its AWS account first; None without an account."""
    first_system: str | None = db.value(
        """
        UPDATE environments e SET
            rank = %(rank)s, aws_account_id = %(aws_account_id)s, region = %(region)s, base_url = %(base_url)s,
            production = %(production)s, required_soak_seconds = %(required_soak_seconds)s,
            verification_max_age_seconds = %(verification_max_age_seconds)s,
            required_suites = %(required_suites)s::text[], required_approvals = %(required_approvals)s,
            workspace_hosts = %(workspace_hosts)s::text[]
        FROM systems s WHERE s.id = e.system_id AND s.key = %(system)s AND e.name = %(name)s
        RETURNING first_system_of_aws_account(e.aws_account_id)
        """,
        system=system,
        **_columns(environment),
    )
    return first_system


def delete(db: Database, system: str, name: str) -> None:
    db.execute(
        """
        DELETE FROM environments e USING systems s
        WHERE s.id = e.system_id AND s.key = %(system)s AND e.name = %(name)s
        """,
        system=system,
        name=name,
    )


# registry
def freeze_of_production(db: Database) -> str | None:
    """Return the id of the oldest freeze of production environments over several systems that is not over.

    Return None if there is none. A freeze that is scheduled counts, and one that repeats counts between its windows.
    Lock the system first: its lock keeps these freezes as they are.
    """
    freeze: str | None = db.value(
        """
        SELECT id::text FROM holds
        WHERE system_id IS NULL AND kind = 'freeze' AND production AND released_at IS NULL
            AND coalesce(ends_at, 'infinity') > statement_timestamp()
        ORDER BY holds.id LIMIT 1
        """
    )
    return freeze


# /registry
def _columns(environment: NewEnvironment | Environment) -> dict[str, Any]:
    # psycopg2 turns a list into an array, but a tuple into a composite.
    return {
        **msgspec.structs.asdict(environment),
        "required_suites": list(environment.required_suites),
        "workspace_hosts": list(environment.workspace_hosts),
    }
