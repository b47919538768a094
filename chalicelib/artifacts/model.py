"""The records of an artifact, and the environments that it may enter."""

from typing import Annotated

from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.promotions.model import Promotion
from chalicelib.rest.types import Answer
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import Artifact, Slug

# The bounds of each of the three lists.
MOST = 200
MOST_BYTES = 1_250_000


def _more(otherwise: str) -> Meta:
    return Meta(description=f"True if the list is cut: it has at most {MOST}, and about a megabyte. {otherwise}")


class ArtifactHistory(Answer, kw_only=True):
    system: Slug
    artifact: Artifact
    deployments: Annotated[list[Deployment], Meta(description="Deployments, the newest first")]
    more_deployments: Annotated[bool, _more("List deployments to see more")]
    verifications: Annotated[list[Verification], Meta(description="Verifications, the last finished first")]
    more_verifications: Annotated[bool, _more("List verifications to see more")]
    decisions: Annotated[
        list[Promotion],
        Meta(description="The gate's current decision for each environment, sorted by rank and not recorded"),
    ]
    more_decisions: Annotated[bool, _more("Ask for a promotion with `dry_run` to see another")]
