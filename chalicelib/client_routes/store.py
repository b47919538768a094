"""Routes in PostgreSQL. A route whose time is over counts as deleted, even before the sweep deletes it."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.client_routes.model import LookupFacts, NewRoute, Route, RoutedWorkspace, RoutingFacts
from chalicelib.database.connection import Database
from chalicelib.database.events import events_of_the_service
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.targets.store import WORKSPACE_STATE, workspace_not_found

ORDER = Keyset(id=NumberedId)

_COLUMNS = """
    r.id::text AS id, r.client, e.name AS environment, w.name AS workspace, r.until, r.reason, r.set_by_client,
    r.created_at, r.created_by
"""

_FROM = """
    FROM systems s JOIN workspaces w ON w.system_id = s.id JOIN environments e ON e.id = w.environment_id
        JOIN routes r ON r.workspace_id = w.id AND r.until > clock_timestamp()
"""

# The ids of the systems that have a route whose time is over.
DUE = """
    SELECT w.system_id FROM routes r JOIN workspaces w ON w.id = r.workspace_id WHERE r.until <= clock_timestamp()
"""


def get(db: Database, system: str, workspace: str, client: str) -> Route:
    """Return the route, or raise problem 404."""
    route = db.select_one(
        Route,
        f"SELECT {_COLUMNS} {_FROM} WHERE s.key = %(system)s AND w.id = %(workspace)s AND r.client = %(client)s",
        system=system,
        workspace=number(workspace),
        client=client,
    )
    if route is None:
        raise Problem(
            problems.not_found,
            f"{system!r} has no route of {client!r} to a workspace {workspace!r}. Check the client and the ids.",
        )
    return route


def list_(db: Database, system: str, workspace: str, *, limit: int, after: tuple[Any, ...] | None) -> list[Route]:
    return db.select(
        Route,
        f"""
        SELECT {_COLUMNS} {_FROM}
        WHERE s.key = %(system)s AND w.id = %(workspace)s AND (%(after)s IS NULL OR r.id < %(after)s::bigint)
        ORDER BY r.id DESC LIMIT %(limit)s
        """,
        system=system,
        workspace=number(workspace),
        limit=limit,
        after=after[0] if after else None,
    )


def workspace(db: Database, system: str, id_: str) -> RoutedWorkspace:
    """Return the workspace that routes lead to, or raise problem 404. Before changing routes, lock the system."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at, e.name AS environment, w.name, w.purpose, {WORKSPACE_STATE} AS state,
            w.expires_at, w.base_url, e.workspace_hosts AS hosts
        FROM systems s JOIN workspaces w ON w.system_id = s.id JOIN environments e ON e.id = w.environment_id
        WHERE s.key = %(system)s AND w.id = %(id)s
        """,
        system=system,
        id=number(id_),
    )
    if row is None:
        raise workspace_not_found(system, id_)
    return msgspec.convert(row, RoutedWorkspace)


def look_up(db: Database, system: str, environment: str, client: str) -> LookupFacts | None:
    """Read the facts that decide where a client's calls go. None if the environment does not exist."""
    row = db.row(
        """
        SELECT statement_timestamp() AS at, e.name AS environment, e.base_url, e.workspace_hosts AS hosts,
            CASE WHEN r.id IS NOT NULL THEN json_build_object(
                'workspace', w.name, 'base_url', w.base_url, 'until', r.until, 'set_by_client', r.set_by_client
            ) END AS route
        FROM systems s JOIN environments e ON e.system_id = s.id
            LEFT JOIN routes r ON r.environment_id = e.id AND r.client = %(client)s
                AND r.until > statement_timestamp()
            LEFT JOIN workspaces w ON w.id = r.workspace_id
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=environment,
        client=client,
    )
    return None if row is None else msgspec.convert(row, LookupFacts)


def facts(db: Database, workspace: str, client: str) -> RoutingFacts:
    """Read the facts for a new route of the client to the workspace."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at,
            CASE WHEN r.workspace_id = target.id THEN (
                SELECT to_json(shown) FROM (
                    SELECT {_COLUMNS} FROM workspaces w JOIN environments e ON e.id = w.environment_id
                    WHERE w.id = r.workspace_id
                ) AS shown
            ) END AS own,
            CASE WHEN r.workspace_id <> target.id THEN (
                SELECT json_build_object('id', w.id::text, 'workspace', w.name, 'until', r.until)
                FROM workspaces w WHERE w.id = r.workspace_id
            ) END AS holder
        FROM workspaces AS target
            LEFT JOIN routes r ON r.environment_id = target.environment_id AND r.client = %(client)s
                AND r.until > clock_timestamp()
        WHERE target.id = %(workspace)s
        """,
        workspace=number(workspace),
        client=client,
    )
    return msgspec.convert(row, RoutingFacts)


def insert(
    db: Database,
    workspace: str,
    client: str,
    new: NewRoute,
    *,
    set_by_client: bool,
    created_by: str,
    at: datetime,
) -> Route:
    inserted = db.select_one(
        Route,
        f"""
        WITH r AS (
            INSERT INTO routes (
                workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at,
                workspace_base_url, client, until, reason, set_by_client, created_by, created_at
            )
            SELECT id, environment_id, purpose, state, expires_at,
                base_url, %(client)s, %(until)s, %(reason)s, %(set_by_client)s, %(created_by)s, %(at)s
            FROM workspaces WHERE id = %(workspace)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM r JOIN workspaces w ON w.id = r.workspace_id
            JOIN environments e ON e.id = r.environment_id
        """,
        workspace=number(workspace),
        client=client,
        until=new.until,
        reason=new.reason,
        set_by_client=set_by_client,
        created_by=created_by,
        at=at,
    )
    assert inserted is not None
    return inserted


def update(db: Database, route: Route) -> None:
    db.execute(
        """
        UPDATE routes SET until = %(until)s, reason = %(reason)s, set_by_client = %(set_by_client)s
        WHERE id = %(id)s
        """,
        id=number(route.id),
        until=route.until,
        reason=route.reason,
        set_by_client=route.set_by_client,
    )


def delete(db: Database, id_: str) -> None:
    db.execute("DELETE FROM routes WHERE id = %(id)s", id=number(id_))


def ending_after(db: Database, workspace: str, at: datetime) -> list[Route]:
    """Return the routes to a workspace that end after the time `at`."""
    return db.select(
        Route,
        f"""
        SELECT {_COLUMNS} FROM routes r JOIN workspaces w ON w.id = r.workspace_id
            JOIN environments e ON e.id = r.environment_id
        WHERE w.id = %(workspace)s AND r.until > %(at)s ORDER BY r.id
        """,
        workspace=number(workspace),
        at=at,
    )


def lapse_of_client(db: Database, workspace: str, client: str, request_id: str) -> None:
    """Queue a statement that ends the client's route in the workspace's environment if the route's time is over."""
    which = """
        r.client = %(client)s
        AND r.environment_id = (SELECT environment_id FROM workspaces WHERE id = %(workspace)s)
    """
    db.queue(_lapse(which), workspace=number(workspace), client=client, request_id=request_id)


def lapse_of_workspace(db: Database, workspace: str, request_id: str) -> None:
    """Queue a statement that ends each route to a workspace if the route's time is over."""
    which = "r.workspace_id = %(workspace)s"
    db.queue(_lapse(which), workspace=number(workspace), request_id=request_id)


def lapse(db: Database, system: str, limit: int, request_id: str) -> int:
    """End up to `limit` routes of a system whose time is over; return the count."""
    which = """
        r.id IN (
            SELECT due.id FROM routes due JOIN workspaces w ON w.id = due.workspace_id JOIN systems s
                ON s.id = w.system_id
            WHERE s.key = %(system)s AND due.until <= clock_timestamp()
            ORDER BY due.until LIMIT %(limit)s
        )
    """
    ended: int = db.value(_lapse(which), system=system, limit=limit, request_id=request_id)
    return ended


def _lapse(which: str) -> str:
    events = events_of_the_service(
        "lapsed",
        action="route.lapse",
        resource="system || '/workspaces/' || workspace_id || '/routes/' || client",
        before="jsonb_build_object('client', client, 'until', until)",
    )
    return f"""
        WITH lapsed AS (
            DELETE FROM routes r USING workspaces w, systems s
            WHERE w.id = r.workspace_id AND s.id = w.system_id AND r.until <= clock_timestamp() AND {which}
            RETURNING s.key AS system, r.workspace_id, r.client, r.until
        ), events AS ({events})
        SELECT count(*) FROM lapsed
    """
