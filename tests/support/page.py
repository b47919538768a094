"""A page of docs/ whose commands tests run as they stand there."""

import re
from dataclasses import dataclass

from tests.support.checkout import ROOT


@dataclass(frozen=True)
class Block:
    """A code block: under which heading, in which language, and what is needed to run it (`sh on AWS`), if anything."""

    heading: str
    language: str
    needs: str | None
    text: str


def blocks(name: str) -> list[Block]:
    """The code blocks of docs/<name>, in order."""
    found, heading = [], ""
    page = (ROOT / "docs" / name).read_text()
    for match in re.finditer(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w+)(?: on (?P<needs>\w+))?\n(?P<text>.*?)^```$", page, re.M | re.S
    ):
        if match["heading"]:
            heading = match["heading"]
        else:
            found.append(Block(heading, match["language"], match["needs"], match["text"]))
    return found
