"""References exist: links between pages, the index, and the README's answers."""

import re

import pytest

from tests.support.checkout import ROOT
from tests.support.page import OUTSIDE, names, path, text

QUESTIONS = dict(re.findall(r"^\| ([^|]+\?) \| (.+) \|$", text("README.md"), re.MULTILINE))


@pytest.mark.parametrize("page", names())
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = path(page).parent / file if file else path(page)
        assert target.exists(), f"{page} has a link to {link}, but this file does not exist: correct the link"
        assert not anchor or anchor in anchors(target.read_text()), (
            f"{page} has a link to {link}, but no heading has this anchor: correct the link"
        )


def test_the_index_lists_every_page_once() -> None:
    listed = [link for link in links("docs/README.md") if link.endswith(".md")]

    assert sorted(listed) == [page for page in names() if page not in OUTSIDE]


@pytest.mark.parametrize("page", [name for name in names() if name.startswith("decisions/")])
def test_a_decision_record_has_four_parts(page: str) -> None:
    headings = re.findall("^## (.+)$", text(page), re.MULTILINE)

    assert headings == ["Context", "Options", "Decision", "Consequences"]


def test_the_readme_answers_questions_with_names_that_exist() -> None:
    named = [each for answer in QUESTIONS.values() for each in re.findall(r"\]\(([^)]+)\): `(\w+)`", answer)]

    assert len(QUESTIONS) >= 10
    assert named
    assert [name for file, name in named if not re.search(rf"\b{name}\b", (ROOT / file).read_text())] == []


def links(page: str) -> list[str]:
    """Return the links of a page, except links to other sites."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", link)]


def anchors(markdown: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall("^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
