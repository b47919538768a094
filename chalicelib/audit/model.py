"""An audit event: a write, or a refused write."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.types import Answer, Id, PageQuery, Timestamp
from chalicelib.vocabulary import PrincipalName, Slug

Action = Annotated[
    str, matching("[a-z]{1,30}\\.[a-z]{1,30}", "deployment.open", "The kind of resource and the action on it")
]
_Fields = dict[str, Any] | None
_CUT = 'A value that is too long for the trail is replaced by `{"cut_bytes": …}`, with its length'


class AuditEvent(Answer, kw_only=True):
    """A write, or a refused write. `refusal` is the slug of the problem in the answer; null if the write succeeded."""

    id: Id
    at: Timestamp
    system: Annotated[
        Slug | None,
        Meta(description="The system's key; null if the event concerns no system. The system may no longer exist"),
    ]
    issuer: Annotated[str, Meta(description="The issuer of the token", examples=["https://issuer.localhost"])]
    principal: PrincipalName
    action: Action
    resource: Annotated[str, Meta(examples=["azul/deployments/197"])]
    before: Annotated[
        _Fields,
        Meta(
            description="The values of the changed fields before the write; null for a new resource or a refusal. "
            f"{_CUT}"
        ),
    ]
    after: Annotated[
        _Fields,
        Meta(description=f"The values of the changed fields after the write; null for a deletion or a refusal. {_CUT}"),
    ]
    refusal: Annotated[str | None, Meta(examples=["forbidden"])]
    reason: Annotated[
        str | None,
        Meta(
            description="The reason that the caller gave for the change itself; null if the request had none",
            examples=["The load test has replaced this suite"],
        ),
    ]
    request_id: Annotated[str, Meta(description="The request's id, as in `X-Request-Id` and in the logs")]


class AuditQuery(PageQuery, kw_only=True):
    system: Slug | None = None
    principal: PrincipalName | None = None
    action: Action | None = None
    from_: Annotated[Timestamp | None, Meta(description="Events at this time or later")] = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[Timestamp | None, Meta(description="Events before this time")] = None


constraint("audit_events_are_final", problems.conflict, "An audit event never changes: leave it as it is")
