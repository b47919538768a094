"""Run the first requests of README.md, and compare the answers with those on the page."""

import json
import re
from typing import Any

from tests.support.checkout import Checkout, free_port
from tests.support.page import blocks, script, sh, started


def test_the_first_requests_get_the_answers_on_the_page(checkout: Checkout) -> None:
    port = str(free_port())
    where: Any = {"cwd": checkout.folder, "environ": {**checkout.environment, "PORT": port}}
    requests = script("README.md", "The first", replacing={"127.0.0.1:8000": f"127.0.0.1:{port}"})
    # Targets that record more data are tested on their own.
    requests = re.sub("^make .*$", "", requests, flags=re.MULTILINE)

    with started(script("README.md", "Two commands", "make run"), until="curl", **where):
        printed = sh(requests, **where)

    answers = [json.loads(line) for line in printed.splitlines() if line]
    assert [each.get("status", 200) for each in answers].count(409) == 1
    samples = [json.loads(block.text) for block in blocks("README.md") if block.language == "json"]
    assert len(samples) == 2
    for sample in samples:
        assert any(is_part(sample, answer) for answer in answers), (
            f"no answer contains {sample}: correct this sample in README.md"
        )


def is_part(sample: Any, answer: Any) -> bool:
    """True if the answer equals the sample. Objects in the answer may have more members."""
    if isinstance(sample, dict) and isinstance(answer, dict):
        return all(name in answer and is_part(value, answer[name]) for name, value in sample.items())
    if isinstance(sample, list) and isinstance(answer, list):
        return len(sample) == len(answer) and all(map(is_part, sample, answer))
    return bool(sample == answer)
