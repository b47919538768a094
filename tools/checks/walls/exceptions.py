"""Statements that the Service Authorization Reference does not accept, with the reason why they stay."""

from collections.abc import Iterator

from tools.checks.walls import reference
from tools.checks.walls.rendered import Rendered

# Each key begins a sentence of `reference.faults`.
ACCEPTED: dict[str, str] = {}


def faults(rendered: Rendered) -> Iterator[str]:
    """Yield the faults of all statements that are not accepted, and the accepted sentences that no fault has."""
    used = set()
    for id_, policy in rendered.policies.items():
        for name, fault in reference.faults(policy.document):
            accepted = [each for each in ACCEPTED if fault.startswith(each)]
            used.update(accepted)
            if not accepted:
                yield f"{name} of {id_}: {fault}"
    for each in ACCEPTED.keys() - used:
        yield f"No statement needs the exception {each!r}: remove it"
