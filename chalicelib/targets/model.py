"""A target: an environment's workspace. The workspace `default` is the environment itself."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.rest.problems import problem_type

DEFAULT = "default"

WorkspaceState = Annotated[
    Literal["active", "expired", "destroyed"],
    Meta(
        examples=["active"],
        description="An active workspace expires at its end. It stays expired until it is destroyed",
    ),
]


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """The principal that made a workspace or a deployment.

    `repository_id` identifies a pipeline. It is None for other principals.
    """

    issuer: str
    subject: str
    repository_id: str | None


workspace_not_active = problem_type(
    "workspace-not-active",
    409,
    "Workspace not active",
    "The workspace has expired or was destroyed, and can't become active again: create another workspace.",
)
