"""docs/problems.md explains exactly the blockers of a promotion."""

import re
from typing import get_args

from chalicelib.promotions.model import BlockerCode
from tests.unit.test_problems_page import SECTIONS


def test_exactly_the_existing_blockers_are_explained() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", SECTIONS["promotion-denied"][2], re.MULTILINE)

    assert rows == list(get_args(BlockerCode))
