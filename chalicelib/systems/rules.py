"""Rules for everything that belongs to a system."""

from chalicelib.rest.problems import invalid_field


def require_kind(artifact: str, kind: str) -> None:
    """A system uses one kind of artifact, so that the artifact that was built is promoted. Else problem 422."""
    if artifact.partition(":")[0] != kind:
        raise invalid_field("#/artifact", f"does not start with {kind}: as every artifact of this system does")
