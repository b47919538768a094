"""The artifact that runs on each target. It is derived from deployments and verifications, never stored."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.environments.model import Rank
from chalicelib.rest.types import Answer, Name, Url
from chalicelib.targets.drift import MOST_COMMITS
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import Artifact, EnvironmentName, Slug, WorkspaceName

MOST_TARGETS = 200
# The last deployments among which the artifact for a rollback is looked for.
MOST_FORMER = 20


class Drift(Answer, kw_only=True):
    """How far a target is behind the environment with the next lower rank."""

    environment: Annotated[EnvironmentName, Meta(description="The environment before, which has the next lower rank")]
    commits: Annotated[
        int | None,
        Meta(
            description="The number of commits that the environment before has and this target lacks; null if unknown"
        ),
    ]
    more_commits: Annotated[
        bool,
        Meta(
            description=f"True if there may be more commits: only the last {MOST_COMMITS} that were delivered to the "
            "environment before are counted"
        ),
    ]
    seconds: Annotated[
        int | None,
        Meta(
            description="The seconds between two deployments to the environment before: the deployment of this "
            "target's artifact, and the deployment of the artifact that runs there now. If the first deployment is "
            "missing, the deployment to this target counts. 0 for the same artifact. Null if either artifact is "
            "missing"
        ),
    ]


class TargetState(Answer, kw_only=True):
    environment: EnvironmentName
    rank: Rank
    production: bool
    workspace: WorkspaceName
    base_url: Url | None
    current: Annotated[Deployment | None, Meta(description="The successful deployment that finished last")]
    last_attempt: Annotated[Deployment | None, Meta(description="The deployment that started last")]
    verifications: Annotated[
        list[Verification],
        Meta(description="Each suite's latest verification of the current deployment, sorted by suite"),
    ]
    rollback_to: Annotated[
        Artifact | None,
        Meta(
            description="The artifact that a rollback goes to: the newest former one that is allowed without an "
            f"override, among the last {MOST_FORMER} succeeded deployments. Null if there is none"
        ),
    ]
    drift: Annotated[
        Drift | None,
        Meta(
            description="How far the target is behind the environment before; null for the lowest rank "
            "and for workspaces"
        ),
    ]


class SystemState(Answer, kw_only=True):
    system: Slug
    name: Name
    targets: Annotated[
        list[TargetState],
        Meta(description="Environments by rank, then workspaces by environment and name, except destroyed workspaces"),
    ]
    more_targets: Annotated[
        bool,
        Meta(
            description=f"True if the system has more targets. `targets` has at most {MOST_TARGETS}, and less than a "
            "megabyte of them. List the deployments and the verifications of a target to see more"
        ),
    ]
