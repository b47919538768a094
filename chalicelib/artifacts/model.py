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
        Meta(description=f"The newest first, at most {MOST}; the list of deployments has all"),
    ]
    verifications: Annotated[
        list[Verification],
        Meta(description=f"The last finished first, at most {MOST}; the list of verifications has all"),
    ]
    decisions: Annotated[
        list[Promotion],
        Meta(description="The decision that the gate of each environment would make now, by rank; not recorded"),
    ]
