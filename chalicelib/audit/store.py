"""The audit trail in PostgreSQL, for reading. `rest.audit` adds events to the trail."""

from typing import Any

from chalicelib.audit.model import AuditEvent, AuditQuery
from chalicelib.database.connection import Database
from chalicelib.rest.ids import NumberedId
from chalicelib.rest.paging import Keyset
from chalicelib.rest.types import Timestamp

ORDER = Keyset(at=Timestamp, id=NumberedId)


def list_(db: Database, query: AuditQuery, *, limit: int, after: tuple[Any, ...] | None) -> list[AuditEvent]:
    after_at, after_id = after or (None, None)
    return db.select(
        AuditEvent,
        """
        SELECT a.id::text AS id, a.at, a.system_key AS system, a.issuer, a.principal, a.action, a.resource,
            a.before, a.after, a.refusal, a.reason, a.request_id
        FROM audit_events a
        WHERE (%(system)s IS NULL OR a.system_key = %(system)s)
            AND (%(principal)s IS NULL OR a.principal = %(principal)s)
            AND (%(action)s IS NULL OR a.action = %(action)s)
            AND (%(from)s IS NULL OR a.at >= %(from)s::timestamptz)
            AND (%(to)s IS NULL OR a.at < %(to)s::timestamptz)
            AND (%(after_id)s IS NULL OR (a.at, a.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY a.at DESC, a.id DESC LIMIT %(limit)s
        """,
        system=query.system,
        principal=query.principal,
        action=query.action,
        to=query.to,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
        **{"from": query.from_},
    )
