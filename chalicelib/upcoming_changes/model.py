"""The difference between what runs in an environment and what a promotion would bring there."""

from typing import Annotated

from msgspec import Meta

from chalicelib.rest.types import Answer, Query, Timestamp, Url
from chalicelib.vocabulary import Artifact, Sha, ShortArtifact, Subject

MOST_COMMITS = 100


class DeliveredCommit(Answer, kw_only=True):
    sha: Sha
    authored_at: Timestamp
    subject: Subject | None


class Version(Answer, kw_only=True):
    """An artifact, and the revision of its last deployment."""

    artifact: Artifact
    revision: Sha | None


class ChangesQuery(Query, kw_only=True):
    artifact: Annotated[
        ShortArtifact | None,
        Meta(description="The artifact to promote. By default, the artifact that runs in the environment before"),
    ] = None


def _number(of: str, lacks: str) -> Meta:
    return Meta(description=f"The number of commits that `{of}` contains and `{lacks}` lacks; null if unknown")


def _commits(of: str) -> Meta:
    return Meta(description=f"These commits, the last delivered first. Only the last {MOST_COMMITS} of `{of}` count")


class Changes(Answer, kw_only=True):
    """The commits that a promotion would add and remove. It would replace `base`, the current version, by `head`."""

    base: Annotated[Version | None, Meta(description="Null if nothing runs in the environment")]
    head: Annotated[
        Version | None, Meta(description="Null without `artifact` if nothing runs in the environment before")
    ]
    ahead_by: Annotated[int | None, _number("head", "base")]
    more_commits: Annotated[bool, Meta(description="True if there may be more, so that `ahead_by` may be too low")]
    commits: Annotated[list[DeliveredCommit], _commits("head")]
    behind_by: Annotated[int | None, _number("base", "head")]
    more_removed: Annotated[bool, Meta(description="True if there may be more, so that `behind_by` may be too low")]
    removed: Annotated[list[DeliveredCommit], _commits("base")]
    compare_url: Annotated[
        Url | None,
        Meta(
            description="The comparison of the two revisions on GitHub or GitLab; null if the system's repository is "
            "elsewhere, or if a revision is unknown"
        ),
    ]
