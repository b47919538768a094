"""A system: a service that a team deploys."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.types import Answer, HttpsUrl, Name, Query, Request, Text, Timestamp
from chalicelib.vocabulary import LooseningReason, Slug

ArtifactKind = Annotated[
    Literal["tree", "sha256"],
    Meta(description="The only kind of artifact that the system uses: git trees, or digests of packages"),
]


class NewSystem(Request, kw_only=True):
    key: Slug
    name: Name
    repository: HttpsUrl | None = None
    description: Text = ""
    artifact_kind: ArtifactKind = "tree"


class SystemChange(Request, kw_only=True):
    name: Name | UnsetType = UNSET
    repository: HttpsUrl | UnsetType | None = UNSET
    description: Text | UnsetType = UNSET
    reason: LooseningReason | None = None


class SystemDeletion(Query, kw_only=True):
    reason: LooseningReason | None = None


class System(Answer, kw_only=True):
    key: Slug
    name: Name
    repository: HttpsUrl | None
    description: Text
    artifact_kind: ArtifactKind
    created_at: Timestamp


constraint("systems_key_once", problems.already_exists, "Another system has this key: choose another key", "#/key")
constraint(
    "systems_key_is_slug",
    problems.invalid,
    "A key is 2 to 39 lower-case letters, digits and hyphens, and starts with a letter: choose another key",
    "#/key",
)
constraint(
    "systems_artifact_kind_known",
    problems.invalid,
    "The artifact kind is unknown: send `tree` or `sha256`",
    "#/artifact_kind",
)
