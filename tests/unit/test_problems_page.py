"""docs/problems.md explains exactly the problems that a caller can get."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import app  # noqa: F401 (declares every kind of problem)
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import PROBLEM_TYPES, ProblemType
from tests.support.operations import require_entries
from tools.checks.openapi import document
from tools.local import server
from tools.package import api_body

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "problems.md").read_text()
# Problems that the local server or API Gateway sends instead of the service.
ELSEWHERE = [*vars(server).values(), *vars(api_body).values()]
LOCAL = {each.slug: each for each in ELSEWHERE if isinstance(each, ProblemType)}
DECLARED = PROBLEM_TYPES | LOCAL

# The patterns do not skip code blocks, because no code block of the page contains a heading or a list.
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SECTION = re.compile(r"^## (\S+)\n\n\*\*(\d{3}) ([^*\n]+)\*\*\n\n(.+?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = {slug: (int(status), title, text) for slug, status, title, text in SECTION.findall(PAGE)}
KNOWN = [slug for slug in SECTIONS if slug in DECLARED]


def test_problems_and_sections_correspond() -> None:
    require_entries(
        "docs/problems.md",
        SECTIONS,
        {slug: _section(problem) for slug, problem in DECLARED.items()},
        ", ordered by status and name, in words for callers",
    )


def test_the_last_part_of_a_problems_type_is_the_anchor_of_its_section() -> None:
    # The anchor of a heading equals the heading, if the heading is a unique slug.
    [_, *headings] = HEADING.findall(PAGE)

    assert [f"/problems/{heading}" for heading in headings] == [DECLARED[slug].uri for slug in SECTIONS]
    assert re.findall(r"\]\(#(.+?)\)", PAGE), "docs/problems.md has no links to its sections: add links"
    assert set(re.findall(r"\]\(#(.+?)\)", PAGE)) <= DECLARED.keys()


def test_sections_are_ordered_by_status() -> None:
    assert list(SECTIONS) == sorted(SECTIONS, key=lambda slug: (SECTIONS[slug][0], slug))


@pytest.mark.parametrize("slug", KNOWN)
def test_a_section_has_the_problems_status_and_title(slug: str) -> None:
    status, title, _ = SECTIONS[slug]

    assert (status, title) == (DECLARED[slug].status, DECLARED[slug].title)


@pytest.mark.parametrize("slug", KNOWN)
def test_a_section_says_what_the_problem_means_and_what_to_do(slug: str) -> None:
    meaning, found, advice = SECTIONS[slug][2].partition("\nTo fix it: ")

    assert found
    assert meaning.strip()
    assert advice.strip()


@pytest.mark.parametrize("slug", KNOWN)
def test_a_section_lists_exactly_the_problems_own_members(slug: str) -> None:
    text = SECTIONS[slug][2]

    assert re.findall(r"^- `(\w+)`: ", text, re.MULTILINE) == [name for name, _ in DECLARED[slug].extra]
    for _, type_ in DECLARED[slug].extra:
        assert {f"`{field}`" for field in _fields(type_)} <= set(re.findall(r"`\w+`", text))


@pytest.mark.parametrize("status", document._PROBLEM_HEADERS)
def test_a_section_names_the_header_that_comes_with_the_problem(status: int) -> None:
    texts = [text for found, _, text in SECTIONS.values() if found == status]

    assert texts
    assert all(f"`{document._PROBLEM_HEADERS[status]}`" in text for text in texts)


def test_the_readme_and_the_apis_description_link_to_the_page() -> None:
    assert "(docs/problems.md)" in (ROOT / "README.md").read_text()
    assert "docs/problems.md" in document.document(OPERATIONS)["info"]["description"]


def _section(problem: ProblemType) -> str:
    members = "".join(f"- `{name}`: the meaning of the member\n" for name, _ in problem.extra)
    means = f"The meaning of the problem.\n\n{members}".strip()
    return f"## {problem.slug}\n\n**{problem.status} {problem.title}**\n\n{means}\n\nTo fix it: {problem.meaning}\n"


def _fields(type_: Any) -> list[str]:
    """Return the fields of a member's type, if the type is an object or a list of objects."""
    return [
        field.encode_name
        for each in (type_, *get_args(type_))
        if isinstance(each, type) and issubclass(each, msgspec.Struct)
        for field in msgspec.structs.fields(each)
    ]
