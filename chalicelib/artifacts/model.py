"""The records of an artifact, and the environments that it may enter."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.promotions.model import Promotion
from chalicelib.rest.types import Answer
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import Artifact, Slug

MOST = 200


class ArtifactHistory(Answer, kw_only=True):
    system: Slug
    artifact: Artifact
    deployments: Annotated[
        list[Deployment],
        Meta(description=f"At most {MOST} deployments, the newest first. List deployments to see more"),
    ]
    verifications: Annotated[
        list[Verification],
        Meta(description=f"At most {MOST} verifications, the last finished first. List verifications to see more"),
    ]
    decisions: Annotated[
        list[Promotion],
        Meta(description="The gate's current decision for each environment, sorted by rank and not recorded"),
    ]
