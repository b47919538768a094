"""The endpoint of the audit trail: `/v1/audit-events`."""

from chalice.app import Blueprint

from chalicelib.audit import store
from chalicelib.audit.model import AuditEvent, AuditQuery
from chalicelib.identity.roles import Role
from chalicelib.rest import paging
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/audit-events", role=Role.maintainer, system_in_query=True)
def list_audit_events(call: Call, query: AuditQuery) -> Page[AuditEvent]:
    """List writes and refused writes, the newest first.

    A maintainer must name one of their systems in `system`. Only an admin may leave it out.
    """
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, query, **page))
