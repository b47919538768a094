"""Rule 9 of docs/registry/rules.md: which crosstalk is refused."""

import itertools
from contextlib import nullcontext
from typing import Literal

import pytest

from chalicelib.bindings.model import Binding, OtherBinding
from chalicelib.bindings.rules import require_no_refused_crosstalk
from chalicelib.rest.problems import Problem

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"
Access = Literal["read_only", "read_write"]
ACCESS: tuple[Access, ...] = ("read_only", "read_write")


USES = list(itertools.product(ACCESS, ACCESS, (False, True), (False, True)))


@pytest.mark.parametrize(("mine", "theirs", "my_claim", "their_claim"), USES)
def test_a_writer_and_an_exclusive_binding_are_refused(
    mine: Access, theirs: Access, my_claim: bool, their_claim: bool
) -> None:
    binding = Binding(dependency="orders", instance=QUEUE, access=mine, exclusive=my_claim)
    other = OtherBinding(QUEUE, theirs, their_claim, "blue", "live")
    refused = "read_write" in (mine, theirs) and (my_claim or their_claim)

    with pytest.raises(Problem, match="live of blue") if refused else nullcontext():
        require_no_refused_crosstalk([binding], [other])


def test_the_bindings_of_an_environment_to_one_instance_count_together() -> None:
    claim = Binding(dependency="claim", instance=QUEUE, access="read_only", exclusive=True)
    writer = Binding(dependency="writer", instance=QUEUE, access="read_write")
    other = OtherBinding(QUEUE, "read_only", False, "blue", "live")

    with pytest.raises(Problem, match="this environment writes to it, and a binding of this environment is exclusive"):
        require_no_refused_crosstalk([claim, writer], [other])


def test_another_instance_and_no_other_binding_are_accepted() -> None:
    binding = Binding(dependency="orders", instance=QUEUE, access="read_write", exclusive=True)

    require_no_refused_crosstalk([binding], [])
    require_no_refused_crosstalk([binding], [OtherBinding(f"{QUEUE}-2", "read_write", True, "blue", "live")])
