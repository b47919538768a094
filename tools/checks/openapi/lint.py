"""Check an OpenAPI document with Redocly's recommended rules. Redocly comes from npm."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tools import lifeline
from tools.checkout import ToolError
from tools.checks import npm

_COMMAND = ("node", "node_modules/@redocly/cli/bin/cli.js", "lint", "--extends=recommended", "--format=json")
# Without these settings, Redocly would send telemetry and look for newer versions.
_OFFLINE = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def faults(document: Path) -> Iterator[str]:
    """Yield the faults of a document, including warnings, or raise ToolError. Call `npm.missing` first."""
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
        said = answer.stderr.strip() or answer.stdout.strip()
        raise ToolError(
            f"Redocly failed: {said}. Delete .local/node and try again: npm installs Redocly again"
        ) from None
    for each in problems:
        yield f"{each['location'][0].get('pointer', '#')}: {each['message']} ({each['ruleId']})"
