"""Redocly's recommended rules know what readers and generators of an OpenAPI document need. They come from npm."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tools import lifeline
from tools.checkout import ToolError
from tools.checks import npm

_COMMAND = ("node", "node_modules/@redocly/cli/bin/cli.js", "lint", "--extends=recommended", "--format=json")
# It asks nobody, and tells nobody.
_OFFLINE = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def faults(document: Path) -> Iterator[str]:
    """Yield what is wrong with a document, warnings too. Raises ToolError. The caller has asked `npm.missing`."""
    answer = lifeline.run(
        [*_COMMAND, str(document.absolute())],
        cwd=npm.INSTALLED,
        env={**os.environ, **_OFFLINE},
        capture_output=True,
        timeout=npm.SECONDS,
    )
    try:
        problems = json.loads(answer.stdout)["problems"]
    except ValueError:
        raise ToolError(f"Redocly broke: {answer.stderr.strip() or answer.stdout.strip()}") from None
    for each in problems:
        yield f"{each['location'][0].get('pointer', '#')}: {each['message']} ({each['ruleId']})"
