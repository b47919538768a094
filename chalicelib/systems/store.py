"""Systems in PostgreSQL."""

from typing import Any, TypeVar

from chalicelib.database.connection import Database
from chalicelib.rest import problems
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Page
from chalicelib.systems.model import NewSystem, System
from chalicelib.vocabulary import Slug

T = TypeVar("T")

ORDER = Keyset(key=Slug)

_COLUMNS = "key, name, repository, description, artifact_kind, created_at"


def lock(db: Database, system: str) -> None:
    """Let one request at a time change the facts from which the system's gate decides.

    Take this lock before reading or writing these facts. The lock is taken in a separate statement: see
    `Database.lock`.
    """
    db.lock(f"system {system}")
    # registry
    # Holds over several systems stay as they are until the transaction ends: see `lock_holds`.
    db.lock(_HOLDS, shared=True)
    # /registry


# registry
# The name of the lock that protects the holds over several systems.
_HOLDS = "holds"


def lock_holds(db: Database) -> None:
    """Let one request at a time change the holds over several systems, while no request decides by them.

    A request with this lock takes no lock of a system, so it never waits in a circle with a request that has one.
    """
    db.lock(_HOLDS)


# /registry
def get(db: Database, key: str, *, for_change: bool = False) -> System:
    """Return the system, or raise problem 404. With `for_change`, lock its row until the transaction ends."""
    system = db.select_one(
        System,
        f"SELECT {_COLUMNS} FROM systems WHERE key = %(key)s {'FOR UPDATE' if for_change else ''}",
        key=key,
    )
    if system is None:
        raise not_found(key)
    return system


def production_environments(db: Database, key: str) -> list[str]:
    """Return the names of the system's production environments."""
    names: list[str] = db.value(
        """
        SELECT coalesce(array_agg(e.name ORDER BY e.rank), '{}')
        FROM environments e JOIN systems s ON s.id = e.system_id
        WHERE s.key = %(key)s AND e.production
        """,
        key=key,
    )
    return names


def page_of(db: Database, system: str, page: Page[T]) -> Page[T]:
    """Return the page. Raise problem 404 if the page is empty because the system does not exist."""
    if not page.items and db.value("SELECT 1 FROM systems WHERE key = %(key)s", key=system) is None:
        raise not_found(system)
    return page


def not_found(key: str) -> Problem:
    return Problem(problems.not_found, f"There is no system {key!r}. Check the key.")


def list_(db: Database, *, only: list[str] | None, limit: int, after: tuple[Any, ...] | None) -> list[System]:
    return db.select(
        System,
        f"""
        SELECT {_COLUMNS} FROM systems
        WHERE (%(only)s IS NULL OR key = ANY (%(only)s::text[])) AND (%(after)s IS NULL OR key > %(after)s)
        ORDER BY key LIMIT %(limit)s
        """,
        only=only,
        limit=limit,
        after=after[0] if after else None,
    )


def insert(db: Database, new: NewSystem) -> System:
    inserted = db.select_one(
        System,
        f"""
        INSERT INTO systems (key, name, repository, description, artifact_kind)
        VALUES (%(key)s, %(name)s, %(repository)s, %(description)s, %(artifact_kind)s)
        RETURNING {_COLUMNS}
        """,
        key=new.key,
        name=new.name,
        repository=new.repository,
        description=new.description,
        artifact_kind=new.artifact_kind,
    )
    assert inserted is not None
    return inserted


def update(db: Database, system: System) -> None:
    db.execute(
        """
        UPDATE systems SET name = %(name)s, repository = %(repository)s, description = %(description)s
        WHERE key = %(key)s
        """,
        key=system.key,
        name=system.name,
        repository=system.repository,
        description=system.description,
    )


def delete(db: Database, key: str) -> None:
    db.execute("DELETE FROM systems WHERE key = %(key)s", key=key)
