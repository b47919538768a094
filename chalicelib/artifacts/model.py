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
        Meta(description=f"At most {MOST} deployments, the newest first; the list of deployments has all"),
    ]
    verifications: Annotated[
        list[Verification],
        Meta(description=f"At most {MOST} verifications, the last finished first; the list of verifications has all"),
    ]
    decisions: Annotated[
        list[Promotion],
        Meta(description="The decisions that all environments' gates would make now, sorted by rank; not recorded"),
    ]
