"""Verifications in PostgreSQL."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.identity.principal import Principal
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Timestamp
from chalicelib.targets.store import CURRENT, ON_TARGET, TARGET, suites_of
from chalicelib.verifications.model import (
    NewVerification,
    Verification,
    VerificationQuery,
    VerifiedTarget,
)

ORDER = Keyset(finished_at=Timestamp, id=NumberedId)

# The columns of a Verification, from rows `v`, `e` (its environment) and `s` (its system).
COLUMNS = """
    v.id::text AS id, s.key AS system, e.name AS environment, v.workspace, v.artifact, v.suite, v.trigger,
    v.outcome, v.started_at, v.finished_at, v.passed, v.failed, v.skipped, v.run_url, v.imported,
    v.created_by, v.created_at
"""

_FROM = """
    FROM systems s JOIN verifications v ON v.system_id = s.id JOIN environments e ON e.id = v.environment_id
"""

# The suites of the artifact that a new verification is about.
_SUITES = suites_of("e.id", "%(workspace)s", "coalesce(%(artifact)s, current.artifact)")


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
        WHERE s.key = %(system)s
            AND (%(environment)s IS NULL OR e.name = %(environment)s)
            AND (%(workspace)s IS NULL OR v.workspace = %(workspace)s)
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


def target(db: Database, system: str, new: NewVerification) -> VerifiedTarget | None:
    """Read all facts for recording a verification. None if the environment does not exist."""
    row = db.row(
        f"""
        SELECT
            clock_timestamp() AS at,
            s.artifact_kind,
            target.state AS workspace_state,
            current.artifact AS current_artifact,
            (
                SELECT count(*) FROM {_SUITES} AS ran WHERE suite <> %(suite)s
            ) AS other_suites,
            (
                SELECT id::text FROM verifications
                WHERE %(imported)s AND imported AND {ON_TARGET} AND artifact = %(artifact)s AND suite = %(suite)s
                    AND finished_at = %(finished_at)s::timestamptz
            ) AS recorded_id
        FROM systems s JOIN environments e ON e.system_id = s.id {TARGET} {CURRENT}
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=new.environment,
        workspace=new.workspace,
        artifact=new.artifact,
        suite=new.suite,
        finished_at=new.finished_at,
        imported=new.imported,
    )
    return None if row is None else msgspec.convert(row, VerifiedTarget)


def insert(
    db: Database,
    system: str,
    new: NewVerification,
    principal: Principal,
    *,
    artifact: str,
    started_at: datetime,
    finished_at: datetime,
) -> Verification:
    inserted = db.select_one(
        Verification,
        f"""
        WITH v AS (
            INSERT INTO verifications (
                system_id, environment_id, workspace, workspace_id, artifact, suite, trigger, outcome, started_at,
                finished_at, passed, failed, skipped, run_url, imported, issuer, created_by, repository_id, run_id,
                run_attempt
            )
            SELECT
                s.id, e.id, %(workspace)s, target.id, %(artifact)s, %(suite)s, %(trigger)s, %(outcome)s,
                %(started_at)s, %(finished_at)s, %(passed)s, %(failed)s, %(skipped)s, %(run_url)s, %(imported)s,
                %(issuer)s, %(created_by)s, %(repository_id)s, %(run_id)s, %(run_attempt)s
            FROM systems s JOIN environments e ON e.system_id = s.id {TARGET}
            WHERE s.key = %(system)s AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {COLUMNS}
        FROM v JOIN systems s ON s.id = v.system_id JOIN environments e ON e.id = v.environment_id
        """,
        system=system,
        environment=new.environment,
        workspace=new.workspace,
        artifact=artifact,
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
        issuer=principal.issuer,
        created_by=principal.subject,
        repository_id=principal.run.repository_id if principal.run else None,
        run_id=principal.run.id if principal.run else None,
        run_attempt=principal.run.attempt if principal.run else None,
    )
    assert inserted is not None
    return inserted
