"""The caller, and what it may do."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.rest.types import Answer, Id, Timestamp
from chalicelib.vocabulary import PrincipalName, Slug

MOST_SYSTEMS = 1000
MOST_PUBLISHERS = 200


class MyRole(Answer, kw_only=True):
    role: Annotated[Literal["viewer", "pipeline", "maintainer", "admin"], Meta(examples=["maintainer"])]
    systems: Annotated[
        list[Slug] | None, Meta(description="The systems in which the role counts; null for all systems")
    ]
    more_systems: Annotated[bool, Meta(description=f"True if the list is cut: it has at most {MOST_SYSTEMS} systems")]


class MyPublisher(Answer, kw_only=True):
    """A publisher for the repository of the caller's pipeline."""

    id: Id
    system: Slug
    mismatches: Annotated[
        list[str],
        Meta(
            description="The claims that the publisher refuses. If there are none, the publisher trusts this run",
            examples=[["ref"]],
        ),
    ]


class Me(Answer, kw_only=True):
    subject: PrincipalName
    issuer: Annotated[str, Meta(examples=["https://token.actions.githubusercontent.com"])]
    kind: Annotated[Literal["person", "pipeline", "local"], Meta(examples=["pipeline"])]
    roles: Annotated[list[MyRole], Meta(description="The caller's roles; empty if the token grants none")]
    publishers: Annotated[
        list[MyPublisher], Meta(description="The publishers of the pipeline's repository; empty for other callers")
    ]
    more_publishers: Annotated[
        bool, Meta(description=f"True if the list is cut: it has at most {MOST_PUBLISHERS} publishers")
    ]
    expires_at: Annotated[Timestamp, Meta(description="The time at which the token expires")]
