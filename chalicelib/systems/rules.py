"""What holds for everything that belongs to a system."""

from chalicelib.rest.problems import invalid_field


def require_kind(artifact: str, kind: str) -> None:
    """A system uses one kind of artifact, so that what is promoted is what was built. Else problem 422."""
    if artifact.partition(":")[0] != kind:
        raise invalid_field("#/artifact", f"this system's artifacts are of kind {kind}")
