"""Verifications in PostgreSQL."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.deployments.store import STATE
from chalicelib.identity.principal import Principal
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Timestamp
from chalicelib.targets.model import DEFAULT
from chalicelib.targets.store import (
    ON_TARGET,
    RECORDED_FROM,
    TARGET,
    WORKSPACE_STATE,
    in_system,
    in_workspace,
    verdicts,
)
from chalicelib.verifications.model import (
    ImportedTarget,
    NewVerification,
    Verification,
    VerificationQuery,
    VerifiedDeployment,
)

ORDER = Keyset(finished_at=Timestamp, id=NumberedId)

# The columns of a Verification, from rows `v`, `e` (its environment) and `s` (its system).
COLUMNS = """
    v.id::text AS id, s.key AS system, e.name AS environment, v.workspace, v.deployment_id::text AS deployment,
    v.artifact, v.suite, v.trigger, v.outcome, v.started_at, v.finished_at, v.passed, v.failed, v.skipped, v.run_url,
    v.imported, v.created_by, v.created_at
"""

_FROM = """
    FROM systems s JOIN verifications v ON v.system_id = s.id JOIN environments e ON e.id = v.environment_id
"""


def _other_suites(deployment: str) -> str:
    """Return SQL for a value: the number of other suites that verified a deployment and that nothing requires.

    It is 0 if an environment of the system requires %(suite)s, because such a suite always counts.
    """
    return f"""
        (
            SELECT count(*) FILTER (WHERE suite <> %(suite)s AND suite <> ALL (required.suites) AND NOT required.this)
            FROM (
                SELECT coalesce(array_agg(each), '{{}}') AS suites, coalesce(bool_or(each = %(suite)s), false) AS this
                FROM environments CROSS JOIN unnest(required_suites) AS each WHERE system_id = s.id
            ) AS required CROSS JOIN {verdicts(deployment, counted=False)} AS verdict
        )
    """


def get(db: Database, system: str, id_: str) -> Verification:
    """Return the verification, or raise problem 404."""
    verification = db.select_one(
        Verification,
        f"SELECT {COLUMNS} {_FROM} WHERE s.key = %(system)s AND v.id = %(id)s",
        system=system,
        id=number(id_),
    )
    if verification is None:
        raise Problem(
            problems.not_found, f"The system {system!r} has no verification {id_!r}. Check the id and the system."
        )
    return verification


def list_(
    db: Database, system: str, query: VerificationQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Verification]:
    after_at, after_id = after or (None, None)
    return db.select(
        Verification,
        f"""
        SELECT {COLUMNS} {_FROM}
        WHERE {in_system("v")}
            AND (%(workspace)s IS NULL OR v.workspace = %(workspace)s)
            AND (%(deployment)s IS NULL OR v.deployment_id = %(deployment)s)
            AND (%(artifact)s IS NULL OR v.artifact = %(artifact)s)
            AND (%(suite)s IS NULL OR v.suite = %(suite)s)
            AND (%(trigger)s IS NULL OR v.trigger = %(trigger)s)
            AND (%(outcome)s IS NULL OR v.outcome = %(outcome)s)
            AND (%(from)s IS NULL OR v.finished_at >= %(from)s::timestamptz)
            AND (%(to)s IS NULL OR v.finished_at < %(to)s::timestamptz)
            AND (%(after_id)s IS NULL OR (v.finished_at, v.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY v.finished_at DESC, v.id DESC LIMIT %(limit)s
        """,
        system=system,
        environment=query.environment,
        workspace=query.workspace,
        deployment=None if query.deployment is None else number(query.deployment),
        artifact=query.artifact,
        suite=query.suite,
        trigger=query.trigger,
        outcome=query.outcome,
        to=query.to,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
        **{"from": query.from_},
    )


_VERIFIED_DEPLOYMENT = Prepared(
    f"""
    SELECT
        clock_timestamp() AS at,
        d.id::text AS id,
        e.name AS environment,
        d.workspace,
        CASE WHEN d.workspace = 'default' THEN 'active' ELSE {WORKSPACE_STATE} END AS workspace_state,
        {STATE} AS state,
        (
            SELECT finished_at FROM deployments
            WHERE environment_id = d.environment_id AND workspace = d.workspace
                AND {in_workspace("d.workspace_id")}
                AND d.state = 'succeeded' AND state = 'succeeded'
                AND (finished_at, id) > (d.finished_at, d.id)
            ORDER BY finished_at, id LIMIT 1
        ) AS replaced_at,
        {_other_suites("d.id")} AS other_suites
    FROM systems s JOIN deployments d ON d.system_id = s.id JOIN environments e ON e.id = d.environment_id
        LEFT JOIN workspaces w ON w.id = d.workspace_id
    WHERE s.key = %(system)s AND d.id = %(id)s
    """
)


def verified_deployment(db: Database, system: str, id_: str, suite: str) -> VerifiedDeployment | None:
    """Read all facts for recording a verification. None if the system has no such deployment."""
    row = db.row(_VERIFIED_DEPLOYMENT, system=system, id=number(id_), suite=suite)
    return None if row is None else msgspec.convert(row, VerifiedDeployment)


def imported_target(db: Database, system: str, new: NewVerification) -> ImportedTarget | None:
    """Read all facts for importing a verification. None if the environment does not exist."""
    row = db.row(
        f"""
        SELECT
            clock_timestamp() AS at,
            s.artifact_kind,
            target.state AS workspace_state,
            tested.id::text AS deployment_id,
            {_other_suites("tested.id")} AS other_suites,
            {RECORDED_FROM} AS recorded_from,
            (
                SELECT json_build_object(
                    'id', id::text, 'outcome', outcome, 'trigger', trigger, 'started_at', started_at,
                    'passed', passed, 'failed', failed, 'skipped', skipped
                )
                FROM verifications
                WHERE imported AND {ON_TARGET} AND artifact = %(artifact)s AND suite = %(suite)s
                    AND finished_at = %(finished_at)s::timestamptz
            ) AS recorded
        FROM systems s JOIN environments e ON e.system_id = s.id {TARGET}
            LEFT JOIN LATERAL (
                SELECT id FROM deployments
                WHERE {ON_TARGET} AND artifact = %(artifact)s AND state = 'succeeded'
                    AND finished_at <= %(started_at)s::timestamptz
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS tested ON true
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=new.environment,
        workspace=new.workspace or DEFAULT,
        artifact=new.artifact,
        suite=new.suite,
        started_at=new.started_at,
        finished_at=new.finished_at,
    )
    return None if row is None else msgspec.convert(row, ImportedTarget)


def insert(
    db: Database,
    new: NewVerification,
    principal: Principal,
    *,
    deployment: str,
    started_at: datetime,
    finished_at: datetime,
    late: bool = False,
) -> Verification:
    inserted = db.select_one(
        Verification,
        f"""
        WITH v AS (
            INSERT INTO verifications (
                system_id, deployment_id, environment_id, workspace, workspace_id, artifact, suite, trigger, outcome,
                started_at, finished_at, passed, failed, skipped, run_url, imported, late, issuer, created_by,
                repository_id, run_id, run_attempt
            )
            SELECT
                system_id, id, environment_id, workspace, workspace_id, artifact, %(suite)s, %(trigger)s, %(outcome)s,
                %(started_at)s, %(finished_at)s, %(passed)s, %(failed)s, %(skipped)s, %(run_url)s, %(imported)s,
                %(late)s, %(issuer)s, %(created_by)s, %(repository_id)s, %(run_id)s, %(run_attempt)s
            FROM deployments WHERE id = %(deployment)s
            RETURNING *
        )
        SELECT {COLUMNS}
        FROM v JOIN systems s ON s.id = v.system_id JOIN environments e ON e.id = v.environment_id
        """,
        deployment=number(deployment),
        suite=new.suite,
        trigger=new.trigger,
        outcome=new.outcome,
        started_at=started_at,
        finished_at=finished_at,
        passed=new.passed,
        failed=new.failed,
        skipped=new.skipped,
        run_url=new.run_url,
        imported=new.imported,
        late=late,
        issuer=principal.issuer,
        created_by=principal.subject,
        repository_id=principal.run.repository_id if principal.run else None,
        run_id=principal.run.id if principal.run else None,
        run_attempt=principal.run.attempt if principal.run else None,
    )
    assert inserted is not None
    return inserted
