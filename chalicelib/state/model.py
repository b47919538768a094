"""What runs where. Nothing of it is stored: it is derived from what was recorded."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.environments.model import Rank
from chalicelib.rest.types import Answer, Name, Url
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import EnvironmentName, Slug, WorkspaceName


class Drift(Answer, kw_only=True):
    """How far a target is behind the environment before its own."""

    environment: Annotated[EnvironmentName, Meta(description="The environment before: the next lower rank")]
    commits: Annotated[
        int | None,
        Meta(
            description="Commits that were delivered there after what runs here and up to what runs there, and that "
            "what runs here does not have; null when unknown"
        ),
    ]
    seconds: Annotated[
        int | None,
        Meta(
            description="From when what runs here was deployed there (or, if it never was, here) until what runs there "
            "was; 0 when the same runs in both; null when nothing runs in one of them"
        ),
    ]


class TargetState(Answer, kw_only=True):
    environment: EnvironmentName
    rank: Rank
    production: bool
    workspace: WorkspaceName
    base_url: Url | None
    current: Annotated[Deployment | None, Meta(description="The last succeeded deployment, by finishing order")]
    last_attempt: Annotated[Deployment | None, Meta(description="The deployment that started last")]
    verifications: Annotated[
        list[Verification], Meta(description="The latest of each suite, of what runs here; by suite")
    ]
    drift: Annotated[Drift | None, Meta(description="Null for the lowest rank, and for workspaces")]


class SystemState(Answer, kw_only=True):
    system: Slug
    name: Name
    targets: Annotated[
        list[TargetState],
        Meta(description="By rank: each environment itself, then its workspaces by name, until they are destroyed"),
    ]
