"""Workspaces in PostgreSQL."""

from datetime import datetime
from typing import Any

from chalicelib.database.connection import Database
from chalicelib.database.events import events_of_the_service
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.types import Timestamp
from chalicelib.targets.model import Maker
from chalicelib.targets.store import WORKSPACE_STATE, workspace_not_found
from chalicelib.workspaces.model import NewWorkspace, Workspace, WorkspaceQuery

ORDER = Keyset(created_at=Timestamp, id=NumberedId)

_COLUMNS = f"""
    w.id::text AS id, s.key AS system, e.name AS environment, w.name, w.purpose, w.owner, w.reason, w.base_url,
    w.database, {WORKSPACE_STATE} AS state, w.expires_at, w.destroyed_at, w.created_at, w.created_by
"""

_FROM = """
    FROM systems s JOIN workspaces w ON w.system_id = s.id JOIN environments e ON e.id = w.environment_id
"""

# The ids of the systems that have an active workspace whose time is over.
DUE = "SELECT system_id FROM workspaces WHERE state = 'active' AND expires_at <= clock_timestamp()"


def get(db: Database, system: str, id_: str) -> Workspace:
    """Return the workspace, or raise problem 404."""
    workspace = db.select_one(
        Workspace,
        f"SELECT {_COLUMNS} {_FROM} WHERE s.key = %(system)s AND w.id = %(id)s",
        system=system,
        id=number(id_),
    )
    if workspace is None:
        raise workspace_not_found(system, id_)
    return workspace


def get_to_change(db: Database, system: str, id_: str) -> tuple[Workspace, Maker, datetime]:
    """Return the workspace, its maker and the moment of the read, or raise problem 404."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at, w.issuer, w.repository_id, {_COLUMNS} {_FROM}
        WHERE s.key = %(system)s AND w.id = %(id)s
        """,
        system=system,
        id=number(id_),
    )
    if row is None:
        raise workspace_not_found(system, id_)
    maker = Maker(issuer=row.pop("issuer"), subject=row["created_by"], repository_id=row.pop("repository_id"))
    at = row.pop("at")
    return Workspace(**row), maker, at


def list_(
    db: Database, system: str, query: WorkspaceQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Workspace]:
    after_at, after_id = after or (None, None)
    return db.select(
        Workspace,
        f"""
        SELECT {_COLUMNS} {_FROM}
        WHERE s.key = %(system)s
            AND (%(environment)s IS NULL OR e.name = %(environment)s)
            AND (%(name)s IS NULL OR w.name = %(name)s)
            AND (%(state)s IS NULL OR {WORKSPACE_STATE} = %(state)s)
            AND (%(owner)s IS NULL OR w.owner = %(owner)s)
            AND (%(expires_before)s IS NULL OR w.expires_at < %(expires_before)s::timestamptz)
            AND (%(after_id)s IS NULL OR (w.created_at, w.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY w.created_at DESC, w.id DESC LIMIT %(limit)s
        """,
        system=system,
        environment=query.environment,
        name=query.name,
        state=query.state,
        owner=query.owner,
        expires_before=query.expires_before,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )


def moment(db: Database, system: str, environment: str) -> datetime | None:
    """Return the time of the database's clock. None if the environment does not exist."""
    now: datetime | None = db.value(
        """
        SELECT clock_timestamp() FROM systems s JOIN environments e ON e.system_id = s.id
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=environment,
    )
    return now


def insert(db: Database, system: str, new: NewWorkspace, maker: Maker, at: datetime) -> Workspace:
    inserted = db.select_one(
        Workspace,
        f"""
        WITH w AS (
            INSERT INTO workspaces (
                system_id, environment_id, name, purpose, owner, reason, base_url, database, granted_at, expires_at,
                issuer, created_by, repository_id, created_at
            )
            SELECT s.id, e.id, %(name)s, %(purpose)s, %(owner)s, %(reason)s, %(base_url)s, %(database)s, %(at)s,
                %(expires_at)s, %(issuer)s, %(created_by)s, %(repository_id)s, %(at)s
            FROM systems s JOIN environments e ON e.system_id = s.id
            WHERE s.key = %(system)s AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM w JOIN systems s ON s.id = w.system_id JOIN environments e ON e.id = w.environment_id
        """,
        system=system,
        environment=new.environment,
        name=new.name,
        purpose=new.purpose,
        owner=new.owner if new.owner is not None else maker.subject,
        reason=new.reason,
        base_url=new.base_url,
        database=new.database,
        at=at,
        expires_at=new.expires_at,
        issuer=maker.issuer,
        created_by=maker.subject,
        repository_id=maker.repository_id,
    )
    assert inserted is not None
    return inserted


def update(db: Database, workspace: Workspace, at: datetime) -> None:
    """Write the fields that may change. If the end changes, record `at` as the time when the end was granted."""
    db.execute(
        """
        UPDATE workspaces SET
            owner = %(owner)s, reason = %(reason)s, base_url = %(base_url)s, expires_at = %(expires_at)s,
            granted_at = CASE WHEN expires_at = %(expires_at)s THEN granted_at ELSE %(at)s END
        WHERE id = %(id)s
        """,
        id=number(workspace.id),
        owner=workspace.owner,
        reason=workspace.reason,
        base_url=workspace.base_url,
        expires_at=workspace.expires_at,
        at=at,
    )


def destroy(db: Database, id_: str, at: datetime) -> None:
    db.execute(
        "UPDATE workspaces SET state = 'destroyed', destroyed_at = %(at)s WHERE id = %(id)s", id=number(id_), at=at
    )


def expire(db: Database, system: str, limit: int, request_id: str) -> int:
    """Mark up to `limit` workspaces of a system as expired; return the count.

    This marks workspaces whose time is over and that have no routes. The audit trail names the service as principal.
    """
    events = events_of_the_service(
        "expired",
        action="workspace.expire",
        resource="system || '/workspaces/' || id",
        before="""'{"state": "active"}'""",
        after="""'{"state": "expired"}'""",
    )
    marked: int = db.value(
        f"""
        WITH expired AS (
            UPDATE workspaces w SET state = 'expired'
            FROM systems s
            WHERE s.id = w.system_id AND w.id IN (
                SELECT due.id FROM workspaces due JOIN systems ON systems.id = due.system_id
                WHERE systems.key = %(system)s AND due.state = 'active' AND due.expires_at <= clock_timestamp()
                    AND NOT EXISTS (SELECT FROM routes WHERE workspace_id = due.id)
                ORDER BY due.id LIMIT %(limit)s
            )
            RETURNING s.key AS system, w.id
        ), events AS ({events})
        SELECT count(*) FROM expired
        """,
        system=system,
        limit=limit,
        request_id=request_id,
    )
    return marked
