"""Cancel deployments whose lease has expired, or whose run was started again, in PostgreSQL.

The audit trail names the service itself as principal.
"""

from chalicelib import NAME
from chalicelib.database.connection import Database
from chalicelib.database.events import events_of_the_service
from chalicelib.deployments.model import DEPLOYMENTS, LAPSED, LEASE_EXPIRED, LEASE_EXPIRIES, SUPERSEDED
from chalicelib.identity.principal import Principal

# The ids of the systems that have a deployment whose lease has expired.
DUE = "SELECT system_id FROM deployments WHERE state = 'in_progress' AND lease_expires_at <= clock_timestamp()"


# The sweep counts these metrics for each deployment that it cancels.
COUNTED = ((LEASE_EXPIRIES, None), (DEPLOYMENTS, "cancelled"))


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


def supersede(
    db: Database, system: str, environment: str, workspace: str, principal: Principal, request_id: str
) -> None:
    """Queue a statement that cancels the deployment in progress on the target if an earlier attempt of the run did it.

    The earlier attempt has ended without a final status, because GitHub runs one attempt at a time.
    """
    assert principal.run is not None
    db.queue(
        _SUPERSEDE,
        system=system,
        environment=environment,
        workspace=workspace,
        issuer=principal.issuer,
        repository_id=principal.run.repository_id,
        run_id=principal.run.id,
        run_attempt=principal.run.attempt,
        detail="A later attempt of the run replaced this one",
        request_id=request_id,
    )


def lapse(db: Database, system: str, limit: int, request_id: str) -> int:
    """Cancel up to `limit` deployments of a system whose lease has expired; return the count."""
    cancelled: int = db.value(_LAPSE_OF_SYSTEM, system=system, limit=limit, detail=LEASE_EXPIRED, request_id=request_id)
    return cancelled


def _cancel(which: str, *, action: str, finished_at: str, setting: str | None = None) -> str:
    events = events_of_the_service(
        "cancelled",
        action=action,
        resource="system || '/deployments/' || id",
        before="""'{"state": "in_progress"}'""",
        after="""'{"state": "cancelled"}'""",
    )
    return f"""
        WITH cancelled AS (
            UPDATE deployments d
            SET state = 'cancelled', detail = %(detail)s, finished_at = {finished_at}
            FROM environments e JOIN systems s ON s.id = e.system_id
            WHERE d.environment_id = e.id AND d.state = 'in_progress' AND s.key = %(system)s AND {which}
            RETURNING d.id, d.finished_at, s.key AS system
        ), statuses AS (
            INSERT INTO deployment_statuses (deployment_id, state, detail, created_at, created_by)
            SELECT id, 'cancelled', %(detail)s, finished_at, '{NAME}' FROM cancelled
        ), events AS ({events})
        SELECT {f"set_config('{setting}', count(*)::text, true)" if setting else "count(*)"} FROM cancelled
    """


_ON_TARGET = "e.name = %(environment)s AND d.workspace = %(workspace)s"
_EXPIRED = "d.lease_expires_at <= clock_timestamp()"
_LAPSE_OF_TARGET = _cancel(
    f"{_ON_TARGET} AND {_EXPIRED}", action="deployment.lapse", finished_at="d.lease_expires_at", setting=LAPSED
)
_LAPSE_OF_SYSTEM = _cancel(
    f"""
    {_EXPIRED} AND d.id IN (
        SELECT due.id FROM deployments due
        WHERE due.system_id = s.id AND due.state = 'in_progress' AND due.lease_expires_at <= clock_timestamp()
        ORDER BY due.id LIMIT %(limit)s
    )
    """,
    action="deployment.lapse",
    finished_at="d.lease_expires_at",
)
# Attempts are numbers written as texts.
_SUPERSEDE = _cancel(
    f"""
    {_ON_TARGET} AND d.issuer = %(issuer)s AND d.run_id = %(run_id)s
        AND d.repository_id IS NOT DISTINCT FROM %(repository_id)s
        AND (length(d.run_attempt), d.run_attempt) < (length(%(run_attempt)s), %(run_attempt)s)
    """,
    action="deployment.supersede",
    finished_at="clock_timestamp()",
    setting=SUPERSEDED,
)
