"""The artifact that runs on each target. It is derived from deployments and verifications, never stored."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.environments.model import Rank
from chalicelib.rest.types import Answer, Name, Url
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import EnvironmentName, Slug, WorkspaceName


class Drift(Answer, kw_only=True):
    """How far a target is behind the environment before."""

    environment: Annotated[EnvironmentName, Meta(description="The environment before: the next lower rank")]
    commits: Annotated[
        int | None,
        Meta(
            description="How many commits the artifact there has that the artifact here lacks; null if unknown. "
            "Commits count if they were delivered there after the artifact here, up to the artifact there"
        ),
    ]
    seconds: Annotated[
        int | None,
        Meta(
            description="From the deployment of the artifact here to that of the artifact there, both in the "
            "environment before. If the artifact here was never deployed there, its deployment here counts. 0 if both "
            "run the same artifact, null if nothing runs in one of them"
        ),
    ]


class TargetState(Answer, kw_only=True):
    environment: EnvironmentName
    rank: Rank
    production: bool
    workspace: WorkspaceName
    base_url: Url | None
    current: Annotated[Deployment | None, Meta(description="The succeeded deployment that finished last")]
    last_attempt: Annotated[Deployment | None, Meta(description="The deployment that started last")]
    verifications: Annotated[
        list[Verification], Meta(description="The latest of each suite for the current artifact, by suite")
    ]
    drift: Annotated[Drift | None, Meta(description="Null for the lowest rank and for workspaces")]


class SystemState(Answer, kw_only=True):
    system: Slug
    name: Name
    targets: Annotated[
        list[TargetState],
        Meta(description="By rank: each environment itself, then its workspaces by name, until they are destroyed"),
    ]
