"""The endpoint that describes the caller: `/v1/me`."""

from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.identity.principal import Grant
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import mismatches
from chalicelib.me.model import MOST_PUBLISHERS, MOST_SYSTEMS, Me, MyPublisher, MyRole
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/me", role=Role.anybody)
def get_me(call: Call) -> Me:
    """Read who you are, and your roles. A pipeline also reads which publishers trust this run."""
    principal = call.principal
    pipeline = principal.pipeline
    return Me(
        subject=principal.subject,
        issuer=principal.issuer,
        kind=principal.kind,
        roles=[_role(grant) for grant in principal.grants],
        publishers=[
            MyPublisher(id=each.id, system=each.system, mismatches=mismatches(each, pipeline))
            for each in call.publishers[:MOST_PUBLISHERS]
            if pipeline is not None
        ],
        more_publishers=len(call.publishers) > MOST_PUBLISHERS,
        expires_at=datetime.fromtimestamp(principal.expires_at, UTC),
    )


def _role(grant: Grant) -> MyRole:
    systems = sorted(grant.systems or ())
    return MyRole(
        role=grant.role.name,  # type: ignore[arg-type]
        systems=None if grant.everywhere else systems[:MOST_SYSTEMS],
        more_systems=not grant.everywhere and len(systems) > MOST_SYSTEMS,
    )
