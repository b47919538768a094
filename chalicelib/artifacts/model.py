"""The records of an artifact, and the environments that it may enter."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.deployments.model import Deployment
from chalicelib.holds.model import HoldFact
from chalicelib.promotions.model import GateFacts, Promotion
from chalicelib.rest.types import Answer
from chalicelib.verifications.model import Verification
from chalicelib.vocabulary import Artifact, Slug

# The bounds of the lists. A decision costs more than a record.
MOST = 200
MOST_DECISIONS = 50
MOST_BYTES = 1_250_000


def _more(otherwise: str, most: int = MOST) -> Meta:
    return Meta(description=f"True if the list is cut: it has at most {most}, and about a megabyte. {otherwise}")


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
    more_decisions: Annotated[bool, _more("Ask for a promotion with `dry_run` to see another", MOST_DECISIONS)]


class Gate(msgspec.Struct, kw_only=True):
    """The facts about an artifact for an environment. Its holds are the pin and the bad mark, without the freezes."""

    production: bool
    facts: GateFacts


class Gates(msgspec.Struct, kw_only=True):
    """The facts about an artifact for the environments of a system, by rank, at one moment."""

    at: datetime
    freezes: tuple[HoldFact, ...]
    freezes_over_systems: tuple[HoldFact, ...]
    gates: list[Gate]
