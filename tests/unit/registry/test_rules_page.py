"""docs/registry/rules.md has the rules that tests cite."""

import re

from tests.support.checkout import ROOT
from tests.support.page import text

TESTS = "\n".join(each.read_text() for each in (ROOT / "tests").rglob("*.py"))


def test_tests_cite_rules_that_the_page_has() -> None:
    rules = re.findall(r"^### (\d+)\. ", text("registry/rules.md"), re.MULTILINE)
    citations = re.findall(r"\b[Rr]ules? (\d+)(?: and (\d+))? of docs/registry/rules\.md", TESTS)

    assert rules == [str(number) for number in range(1, 17)]
    assert citations
    assert not re.search(r"\b[Rr]ules? \d+ (?:and \d+ )?of docs/design\.md", TESTS), (
        "cite docs/registry/rules.md instead"
    )
    assert {number for cited in citations for number in cited if number} <= set(rules)
