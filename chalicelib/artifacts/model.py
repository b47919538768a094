"""An artifact's way: everywhere it went, how it fared there, and where it may go."""

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
        Meta(description=f"The newest first, {MOST} at the most; the list of deployments has them all"),
    ]
    verifications: Annotated[
        list[Verification],
        Meta(description=f"The last finished first, {MOST} at the most; the list of verifications has them all"),
    ]
    decisions: Annotated[
        list[Promotion],
        Meta(description="For each environment, by rank: what would be decided now. Not recorded"),
    ]
