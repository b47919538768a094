"""Few places name the service, so that a copy with another name is easy to make."""

import re
import subprocess
from collections.abc import Iterator

from chalicelib import NAME
from tests.support.checkout import ROOT

# The number of lines that name the service. Take the name from `chalicelib.NAME` or from Terraform's `system` rather
# than raise this number.
AT_MOST = 34

# Files that people read, the code that other repositories run, and `make adopt`, which replaces the name, may name the
# service. SQL has no constants.
_NOT_COUNTED = re.compile(
    r"docs/|tools/(slipway_client|adopt)/|tests/.*/test_adopt|\.github/actions/|LICENSE|.*\.(md|sql)"
)
_MENTION = re.compile(rf"(?:{NAME}|{NAME.capitalize()})(?!_client)")


def places() -> Iterator[str]:
    """Yield each line that names the service, with its file."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    for path in filter(None, listed.split("\0")):
        if _NOT_COUNTED.match(path) or not (ROOT / path).is_file():
            continue
        lines = (ROOT / path).read_text().splitlines()
        yield from (f"{path}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if _MENTION.search(line))


def test_few_places_name_the_service() -> None:
    found = [*places()]

    assert len(found) <= AT_MOST, f"{len(found)} lines name the service, but only {AT_MOST} may:\n" + "\n".join(found)
