"""Who is asking, and what that one may do."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.rest.types import Answer, Id, Timestamp
from chalicelib.vocabulary import PrincipalName, Slug


class MyRole(Answer, kw_only=True):
    role: Annotated[Literal["viewer", "pipeline", "maintainer", "admin"], Meta(examples=["maintainer"])]
    systems: Annotated[list[Slug] | None, Meta(description="Where the role counts, by key; null: everywhere")]


class MyPublisher(Answer, kw_only=True):
    """A publisher for the repository of the pipeline that asks."""

    id: Id
    system: Slug
    mismatches: Annotated[
        list[str],
        Meta(
            description="The claims of the token that are not what the publisher wants. None: it trusts this run",
            examples=[["ref"]],
        ),
    ]


class Me(Answer, kw_only=True):
    subject: PrincipalName
    issuer: Annotated[str, Meta(examples=["https://token.actions.githubusercontent.com"])]
    kind: Annotated[Literal["person", "pipeline", "local"], Meta(examples=["pipeline"])]
    roles: Annotated[list[MyRole], Meta(description="Empty: the token is valid, and its bearer may do nothing")]
    publishers: Annotated[list[MyPublisher], Meta(description="Of the pipeline's repository; for others empty")]
    expires_at: Annotated[Timestamp, Meta(description="When the token expires")]
