"""The rule for the artifacts of a system."""

from chalicelib.rest.problems import invalid_field


def require_kind(artifact: str, kind: str) -> None:
    """Raise problem 422 unless the artifact is of the one kind that the system uses."""
    if artifact.partition(":")[0] != kind:
        raise invalid_field("#/artifact", f"is not of the system's kind: send an artifact that starts with `{kind}:`")
