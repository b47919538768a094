"""Cancel deployments whose lease has expired, in PostgreSQL. The audit trail names the service itself as principal."""

from chalicelib import NAME
from chalicelib.database.connection import Database
from chalicelib.database.events import events_of_the_service
from chalicelib.deployments.model import LEASE_EXPIRED

# The ids of the systems that have a deployment whose lease has expired.
DUE = "SELECT system_id FROM deployments WHERE state = 'in_progress' AND lease_expires_at <= clock_timestamp()"


def lapse_of_target(db: Database, system: str, environment: str, workspace: str, request_id: str) -> None:
    """Queue a statement that cancels the deployment in progress on the target if its lease has expired."""
    db.queue(
        _LAPSE_OF_TARGET,
        system=system,
        environment=environment,
        workspace=workspace,
        detail=LEASE_EXPIRED,
        request_id=request_id,
    )


def lapse(db: Database, system: str, limit: int, request_id: str) -> int:
    """Cancel up to `limit` deployments of a system whose lease has expired; return the count."""
    cancelled: int = db.value(_LAPSE_OF_SYSTEM, system=system, limit=limit, detail=LEASE_EXPIRED, request_id=request_id)
    return cancelled


def _lapse(which: str) -> str:
    events = events_of_the_service(
        "lapsed",
        action="deployment.lapse",
        resource="system || '/deployments/' || id",
        before="""'{"state": "in_progress"}'""",
        after="""'{"state": "cancelled"}'""",
    )
    return f"""
        WITH lapsed AS (
            UPDATE deployments d
            SET state = 'cancelled', detail = %(detail)s, finished_at = d.lease_expires_at
            FROM environments e JOIN systems s ON s.id = e.system_id
            WHERE d.environment_id = e.id AND d.state = 'in_progress' AND d.lease_expires_at <= clock_timestamp()
                AND {which}
            RETURNING d.id, d.finished_at, s.key AS system
        ), statuses AS (
            INSERT INTO deployment_statuses (deployment_id, state, detail, created_at, created_by)
            SELECT id, 'cancelled', %(detail)s, finished_at, '{NAME}' FROM lapsed
        ), events AS ({events})
        SELECT count(*) FROM lapsed
    """


_LAPSE_OF_TARGET = _lapse("s.key = %(system)s AND e.name = %(environment)s AND d.workspace = %(workspace)s")
_LAPSE_OF_SYSTEM = _lapse(
    """
    s.key = %(system)s AND d.id IN (
        SELECT due.id FROM deployments due
        WHERE due.system_id = s.id AND due.state = 'in_progress' AND due.lease_expires_at <= clock_timestamp()
        ORDER BY due.id LIMIT %(limit)s
    )
    """
)
