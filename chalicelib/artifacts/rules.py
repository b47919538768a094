"""The gates' decisions about an artifact."""

from collections.abc import Iterator

import msgspec

from chalicelib.artifacts.model import Gates
from chalicelib.holds.rules import concerning, in_force
from chalicelib.promotions.model import Promotion
from chalicelib.promotions.rules import decide


def decisions(known: Gates, artifact: str) -> Iterator[Promotion]:
    """Yield the decision for each environment. The windows of each freeze are worked out once for all of them."""
    freezes = in_force([*known.freezes, *known.freezes_over_systems], known.at)
    freezes.sort(key=lambda each: int(each.id))
    for gate in known.gates:
        its = concerning(freezes, gate.facts.environment, production=gate.production)
        facts = msgspec.structs.replace(gate.facts, holds=(*its, *gate.facts.holds))
        yield Promotion.unrecorded(artifact, facts.environment, decide(facts, known.at), known.at)
