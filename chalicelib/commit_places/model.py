"""The places of a commit: the environments that have it, and the deployments that delivered it."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import DeploymentKind, DeploymentState
from chalicelib.rest.types import Answer, Id, Timestamp
from chalicelib.vocabulary import Artifact, EnvironmentName, Sha, Slug, Subject, WorkspaceName

MOST_ENVIRONMENTS = 50
MOST_DELIVERIES = 10


class Delivery(Answer, kw_only=True):
    """A deployment that recorded the commit."""

    id: Id
    workspace: WorkspaceName
    artifact: Artifact
    kind: DeploymentKind
    state: DeploymentState
    started_at: Timestamp
    finished_at: Timestamp | None


class CommitInEnvironment(Answer, kw_only=True):
    environment: EnvironmentName
    contained: Annotated[
        bool | None,
        Meta(
            description="True if the artifact that runs in the environment contains the commit; null if that is too "
            "many deployments ago to tell"
        ),
    ]
    since: Annotated[
        Timestamp | None,
        Meta(description="When the first deployment that brought the commit finished; null if it is not contained"),
    ]
    brought_by: Annotated[
        Id | None, Meta(description="The first deployment that brought the commit; null if it is not contained")
    ]
    deliveries: Annotated[
        list[Delivery],
        Meta(description=f"The deployments that recorded the commit, also to workspaces: the last {MOST_DELIVERIES}"),
    ]
    more_deliveries: bool


class CommitPlaces(Answer, kw_only=True):
    """A commit, and the environments by rank."""

    system: Slug
    sha: Sha
    authored_at: Timestamp
    subject: Subject | None
    environments: list[CommitInEnvironment]
    more_environments: Annotated[
        bool, Meta(description=f"True if the system has more than {MOST_ENVIRONMENTS} environments")
    ]
