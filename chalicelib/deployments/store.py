"""Deployments in PostgreSQL."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.deployments.model import (
    LAPSED,
    LEASE_EXPIRED,
    SUPERSEDED,
    Deployment,
    DeploymentQuery,
    NewDeployment,
    NewStatus,
    OpeningFacts,
    Status,
)
from chalicelib.identity.principal import Principal
from chalicelib.promotions.model import Decision
from chalicelib.promotions.store import GATE_FACTS, recorded
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Timestamp
from chalicelib.targets.model import Maker
from chalicelib.targets.store import CURRENT, ON_TARGET, RECORDED_FROM, TARGET, in_system, standing

ORDER = Keyset(started_at=Timestamp, id=NumberedId)
STATUS_ORDER = Keyset(created_at=Timestamp, id=NumberedId)

# A deployment in progress whose lease has expired counts as cancelled, even before the sweep cancels it.
_LAPSED = "(d.state = 'in_progress' AND d.lease_expires_at <= statement_timestamp())"

# The state of the deployment `d`.
STATE = f"CASE WHEN {_LAPSED} THEN 'cancelled' ELSE d.state END"

# True if the state of the deployment `d` is %(state)s. PostgreSQL knows how frequent the values of columns are, but not
# those of STATE.
_HAS_STATE = f"""
    CASE %(state)s
        WHEN 'in_progress' THEN d.state = 'in_progress' AND NOT {_LAPSED}
        WHEN 'cancelled' THEN d.state = 'cancelled' OR {_LAPSED}
        ELSE d.state = %(state)s
    END
"""

# The finish of the deployment `d`.
FINISHED_AT = f"CASE WHEN {_LAPSED} THEN d.lease_expires_at ELSE d.finished_at END"

# True if the deployment `d` is cancelled because its lease expired, before the sweep or after it.
LEASE_ENDED = f"""
    ({_LAPSED} OR (d.state = 'cancelled' AND d.detail = '{LEASE_EXPIRED}' AND d.finished_at = d.lease_expires_at))
"""

# The columns of a Deployment, from rows `d`, `e` (its environment) and `s` (its system).
COLUMNS = f"""
    d.id::text AS id, s.key AS system, e.name AS environment, d.workspace, d.artifact, d.revision, d.kind,
    {STATE} AS state,
    CASE WHEN {_LAPSED} THEN '{LEASE_EXPIRED}' ELSE d.detail END AS detail,
    d.imported, d.commit_count, d.run_url, d.run_id, d.run_attempt, d.run_sha, d.run_actor,
    d.override_reason, d.overridden, d.promotion_id::text AS promotion_id, d.lease_expires_at, d.started_at,
    {FINISHED_AT} AS finished_at,
    d.created_by
"""

_FROM = """
    FROM systems s JOIN deployments d ON d.system_id = s.id JOIN environments e ON e.id = d.environment_id
"""


def get(db: Database, system: str, id_: str) -> Deployment:
    """Return the deployment, or raise problem 404."""
    return get_to_change(db, system, id_)[0]


def get_to_change(db: Database, system: str, id_: str) -> tuple[Deployment, Maker, datetime]:
    """Return the deployment, the caller that opened it and the moment of the read, or raise problem 404."""
    columns = f"clock_timestamp() AS at, d.issuer, d.repository_id, {COLUMNS}"
    row = db.row(f"SELECT {columns} {_FROM} WHERE s.key = %(system)s AND d.id = %(id)s", system=system, id=number(id_))
    if row is None:
        raise Problem(
            problems.not_found, f"The system {system!r} has no deployment {id_!r}. Check the id and the system."
        )
    at = row.pop("at")
    opener = Maker(issuer=row.pop("issuer"), subject=row["created_by"], repository_id=row.pop("repository_id"))
    return Deployment(**row), opener, at


def list_(
    db: Database, system: str, query: DeploymentQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Deployment]:
    after_at, after_id = after or (None, None)
    return db.select(
        Deployment,
        f"""
        SELECT {COLUMNS} {_FROM}
        WHERE {in_system("d")}
            AND (%(workspace)s IS NULL OR d.workspace = %(workspace)s)
            AND (%(artifact)s IS NULL OR d.artifact = %(artifact)s)
            AND (%(revision)s IS NULL OR d.revision = %(revision)s)
            AND (%(kind)s IS NULL OR d.kind = %(kind)s)
            AND (%(state)s IS NULL OR {_HAS_STATE})
            AND (%(overridden)s IS NULL OR (d.overridden IS NOT NULL) = %(overridden)s)
            AND (%(from)s IS NULL OR d.started_at >= %(from)s::timestamptz)
            AND (%(to)s IS NULL OR d.started_at < %(to)s::timestamptz)
            AND (%(after_id)s IS NULL OR (d.started_at, d.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY d.started_at DESC, d.id DESC LIMIT %(limit)s
        """,
        system=system,
        environment=query.environment,
        workspace=query.workspace,
        artifact=query.artifact,
        revision=query.revision,
        kind=query.kind,
        state=query.state,
        overridden=query.overridden,
        to=query.to,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
        **{"from": query.from_},
    )


_OPENING_FACTS = Prepared(f"""
    SELECT
        clock_timestamp() AS at,
        s.artifact_kind,
        (
            SELECT json_build_object(
                'id', id::text, 'run_url', run_url, 'lease_expires_at', lease_expires_at
            )
            FROM deployments WHERE {ON_TARGET} AND state = 'in_progress'
        ) AS holder,
        target.state AS workspace_state,
        current.artifact AS current_artifact,
        (
            SELECT state FROM deployments WHERE {ON_TARGET} ORDER BY started_at DESC, id DESC LIMIT 1
        ) AS last_state,
        {RECORDED_FROM} AS recorded_from,
        (SELECT to_json(its) FROM {standing(ON_TARGET, "%(artifact)s")} AS its) AS standing,
        {GATE_FACTS} AS gate,
        (
            SELECT json_build_object(
                'id', id::text, 'kind', kind, 'state', state, 'started_at', started_at, 'commit_count', commit_count
            )
            FROM (
                SELECT * FROM deployments
                WHERE %(imported)s AND imported AND {ON_TARGET} AND artifact = %(artifact)s
                    AND finished_at = %(finished_at)s::timestamptz AND revision IS NOT DISTINCT FROM %(revision)s
                UNION ALL
                SELECT * FROM (
                    SELECT * FROM deployments WHERE {ON_TARGET} ORDER BY started_at DESC, id DESC LIMIT 1
                ) AS last
                WHERE NOT %(imported)s AND NOT imported AND artifact = %(artifact)s AND kind = %(kind)s
                    AND revision IS NOT DISTINCT FROM %(revision)s AND issuer = %(issuer)s
                    AND repository_id IS NOT DISTINCT FROM %(repository_id)s
                    AND run_id = %(run_id)s AND run_attempt = %(run_attempt)s
            ) AS recorded
        ) AS recorded,
        coalesce(nullif(current_setting('{LAPSED}', true), ''), '0')::integer AS lapsed,
        coalesce(nullif(current_setting('{SUPERSEDED}', true), ''), '0')::integer AS superseded
    FROM systems s JOIN environments e ON e.system_id = s.id {TARGET} {CURRENT}
    WHERE s.key = %(system)s AND e.name = %(environment)s
""")


def opening_facts(db: Database, system: str, new: NewDeployment, principal: Principal) -> OpeningFacts | None:
    """Read all facts for opening a deployment in one statement. None if the environment does not exist."""
    row = db.row(
        _OPENING_FACTS,
        system=system,
        environment=new.environment,
        workspace=new.workspace,
        artifact=new.artifact,
        kind=new.kind,
        imported=new.imported,
        finished_at=new.finished_at,
        revision=new.revision,
        issuer=principal.issuer,
        repository_id=principal.run.repository_id if principal.run else None,
        run_id=principal.run.id if principal.run else None,
        run_attempt=principal.run.attempt if principal.run else None,
    )
    return None if row is None else msgspec.convert(row, OpeningFacts)


_INSERT = f"""
    WITH promotion AS (
        INSERT INTO promotions (
            system_id, environment_id, artifact, decision, blockers, more_blockers, still_required, decided_at,
            decided_by
        )
        SELECT s.id, e.id, %(artifact)s, %(decision)s, %(blockers)s::jsonb, %(more_blockers)s,
            %(still_required)s::jsonb, %(at)s, %(created_by)s
        FROM systems s JOIN environments e ON e.system_id = s.id
        WHERE s.key = %(system)s AND e.name = %(environment)s AND %(decision)s IS NOT NULL
        RETURNING id
    ), d AS (
        INSERT INTO deployments (
            system_id, environment_id, workspace, workspace_id, artifact, revision, kind, state, detail, imported, late,
            run_url, override_reason, overridden, promotion_id, commit_count, lease_seconds, lease_expires_at,
            started_at, finished_at, issuer, created_by, repository_id, run_id, run_attempt, run_sha, run_actor
        )
        SELECT
            s.id, e.id, %(workspace)s, target.id, %(artifact)s, %(revision)s, %(kind)s, %(state)s, %(detail)s,
            %(imported)s, %(late)s, %(run_url)s, %(override_reason)s, %(overridden)s::varchar[],
            (SELECT id FROM promotion), %(commit_count)s, %(lease_seconds)s, %(lease_expires_at)s, %(started_at)s,
            %(finished_at)s, %(issuer)s, %(created_by)s, %(repository_id)s, %(run_id)s, %(run_attempt)s, %(run_sha)s,
            %(run_actor)s
        FROM systems s JOIN environments e ON e.system_id = s.id {TARGET}
        WHERE s.key = %(system)s AND e.name = %(environment)s
        RETURNING *
    ), first_status AS (
        INSERT INTO deployment_statuses (deployment_id, state, detail, created_at, created_by)
        SELECT id, state, detail, coalesce(finished_at, started_at), created_by FROM d
    ), commits AS (
        INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at, subject)
        SELECT d.id, d.environment_id, c.sha, c.authored_at, c.subject
        FROM d, json_to_recordset(%(commits)s::json) AS c (sha text, authored_at timestamptz, subject text)
    )
    SELECT {COLUMNS}
    FROM d JOIN systems s ON s.id = d.system_id JOIN environments e ON e.id = d.environment_id
"""


def insert(
    db: Database,
    system: str,
    new: NewDeployment,
    principal: Principal,
    *,
    facts: OpeningFacts,
    decision: Decision | None,
) -> Deployment:
    """Record a deployment with the decision of the gate, the first status and the commits."""
    run, at = principal.run, facts.at
    overridden = list(decision.codes) if decision else []
    inserted = db.select_one(
        Deployment,
        _INSERT,
        system=system,
        environment=new.environment,
        workspace=new.workspace,
        artifact=new.artifact,
        revision=new.revision,
        kind=new.kind,
        state=new.state or "in_progress",
        detail=new.detail,
        imported=new.imported,
        late=new.imported and facts.recorded_from is not None,
        run_url=new.run_url,
        override_reason=new.override_reason,
        overridden=overridden or None,
        **recorded(decision),
        at=at,
        commit_count=len(new.commits),
        commits=msgspec.json.encode(new.commits).decode(),
        lease_seconds=None if new.imported else new.lease_seconds,
        lease_expires_at=None if new.imported else at + timedelta(seconds=new.lease_seconds),
        started_at=new.started_at or at,
        finished_at=new.finished_at,
        issuer=principal.issuer,
        created_by=principal.subject,
        repository_id=run.repository_id if run else None,
        run_id=run.id if run else None,
        run_attempt=run.attempt if run else None,
        run_sha=run.sha if run else None,
        run_actor=run.actor if run else None,
    )
    assert inserted is not None
    return inserted


def list_statuses(
    db: Database, system: str, deployment: str, *, limit: int, after: tuple[Any, ...] | None
) -> list[Status]:
    after_at, after_id = after or (None, None)
    return db.select(
        Status,
        """
        SELECT t.id::text AS id, t.state, t.detail, t.created_at, t.created_by
        FROM systems s JOIN deployments d ON d.system_id = s.id
            JOIN deployment_statuses t ON t.deployment_id = d.id
        WHERE s.key = %(system)s AND d.id = %(deployment)s
            AND (%(after_id)s IS NULL
                OR (t.created_at, t.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY t.created_at DESC, t.id DESC LIMIT %(limit)s
        """,
        system=system,
        deployment=number(deployment),
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )


def add_status(db: Database, deployment: str, new: NewStatus, created_by: str, at: datetime) -> Status:
    """Record a status, and renew or finish the deployment."""
    status = db.select_one(
        Status,
        """
        WITH d AS (
            UPDATE deployments SET
                state = %(state)s,
                detail = coalesce(%(detail)s, detail),
                finished_at = CASE WHEN %(state)s <> 'in_progress' THEN %(at)s::timestamptz END,
                lease_expires_at = CASE WHEN %(state)s = 'in_progress'
                    THEN %(at)s::timestamptz + lease_seconds * interval '1 second' ELSE lease_expires_at END
            WHERE id = %(deployment)s
        )
        INSERT INTO deployment_statuses (deployment_id, state, detail, created_at, created_by)
        VALUES (%(deployment)s, %(state)s, %(detail)s, %(at)s, %(created_by)s)
        RETURNING id::text AS id, state, detail, created_at, created_by
        """,
        deployment=number(deployment),
        state=new.state,
        detail=new.detail,
        at=at,
        created_by=created_by,
    )
    assert status is not None
    return status
