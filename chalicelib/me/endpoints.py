"""The endpoint that describes the caller: `/v1/me`."""

from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.identity.trust import mismatches
from chalicelib.me.model import Me, MyPublisher, MyRole
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/me", role=Role.anybody)
def get_me(call: Call) -> Me:
    """Read who you are, and your roles. A pipeline also reads which publishers trust this run."""
    principal = call.principal
    return Me(
        subject=principal.subject,
        issuer=principal.issuer,
        kind=principal.kind,
        roles=[
            MyRole(role=grant.role.name, systems=None if grant.everywhere else sorted(grant.systems or ()))  # type: ignore[arg-type]
            for grant in principal.grants
        ],
        publishers=[
            MyPublisher(id=each.id, system=each.system, mismatches=mismatches(each, principal.pipeline))
            for each in call.publishers
            if principal.pipeline is not None
        ],
        expires_at=datetime.fromtimestamp(principal.expires_at, UTC),
    )
