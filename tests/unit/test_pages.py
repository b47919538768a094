"""Every command of README.md and docs/ is run by a test that reads it from the page, or can't be for a reason."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.page import Command, Part, blocks, names, part, text
from tests.support.workflows import targets

# Why no test runs a command, how such a command looks, and which it is: a reason holds for no other.
NOT_HERE: dict[str, tuple[str, list[Part]]] = {
    "a test would run the tests": (
        r"^make (check|test|test-all|workflows|coverage)\b|-m pytest ",
        [
            part("README.md", "Two commands", "make test"),
            part(
                "development.md",
                "Test it",
                "make check",
                "make workflows",
                "make coverage",
                ".local/venv/bin/python -m pytest",
            ),
        ],
    ),
    "`make test-all` runs it": (r"-m pytest -m slow ", [part("branching.md", "Rehearse it")]),
    "it takes half a minute of the processor at its smallest; tests/fuzz asks the same of the same service": (
        r"^make fuzz\b",
        [part("development.md", "Fuzz it")],
    ),
    "it takes minutes, and the same was done with an account and environments more": (
        r"^make (account ACCOUNT|apply ENV)=production$",
        [part("first-deployment.md", "7.", "make account", "make apply ENV=production", needs="AWS")],
    ),
    "it wants a terminal, and an emulated account runs no database": (
        r"^make db-shell ENV=\S+ WORKSPACE=\S+$",
        [part("debug-production.md", "3.", "make db-shell ENV=production WORKSPACE=fix-42")],
    ),
    "an emulated account serves neither CloudFront's addresses nor pages to sign in": (
        r"cloudfront\.net|amazoncognito\.com",
        [part("first-deployment.md", "4.", needs="AWS"), part("first-deployment.md", "5.", needs="AWS")],
    ),
}


def commands() -> list[Command]:
    return [
        command for name in names() for block in blocks(name) if block.language == "sh" for command in block.commands
    ]


def claimed() -> list[Part]:
    """What tests claim, read from their sources: they are not all imported here."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path != Path(__file__) and "runs(" in path.read_text():
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "part":
                    words = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in node.keywords}
                    found.append(part(*map(ast.literal_eval, node.args), **words))
    return found


def excused() -> list[tuple[str, Part]]:
    return [(looks, each) for looks, parts in NOT_HERE.values() for each in parts]


def test_every_command_is_run_by_one_test_or_can_not_be_run_here_for_a_reason() -> None:
    times = Counter(command for each in [*claimed(), *(each for _, each in excused())] for command in each.commands)

    # Let a test run it, with the mark `runs`; or say in NOT_HERE why none can.
    assert [str(command) for command in commands() if times[command] == 0] == []
    # One of these is enough.
    assert [str(command) for command, number in times.items() if number > 1] == []


def test_what_is_claimed_and_what_is_excused_is_there() -> None:
    assert [each for each in [*claimed(), *(each for _, each in excused())] if not each.commands] == []


def test_a_reason_holds_for_what_it_is_given_for() -> None:
    assert [
        str(command)
        for looks, each in excused()
        for command in each.commands
        # `sh on AWS` is said of a block.
        if not re.search(looks, command.text) and not (command.block.needs and re.search(looks, command.block.text))
    ] == []


@pytest.mark.parametrize("name", names())
def test_every_block_says_what_it_is(name: str) -> None:
    assert {block.language for block in blocks(name)} <= {"sh", "yaml", "json", "python", "text"}
    assert "```" not in re.sub(r"^ *```.*$", "", text(name), flags=re.MULTILINE), "a fence stands on a line of its own"
    # `text` is what is printed, or drawn.
    shown = [block.text for block in blocks(name) if block.language == "text"]
    assert not any(re.search(r"^\s*(\$ |make |curl |git |gh |aws |export )", each, re.MULTILINE) for each in shown)


# As `make logs ENV=production`, `make … EXPIRES=1d REASON="…"` or `PLAN=1`.
CALL = re.compile(r"\bmake((?: …| -s| +[A-Z_]+=\S*| +[a-z][a-z-]*)+)")


@pytest.mark.parametrize("name", names())
def test_what_a_page_asks_of_make_is_there(name: str) -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", text(name), flags=re.MULTILINE | re.DOTALL)
    inline = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    spans = [*inline, *(block.text for block in blocks(name) if block.language == "sh")]
    words = [
        word
        for span in spans
        for call in CALL.findall(re.sub(r'"[^"]*"|\$\([^)]*\)|# .*', "", span))
        for word in call.split()
    ]

    assert {word for word in words if re.fullmatch("[a-z][a-z-]*", word)} <= targets()
    said = {word.partition("=")[0] for word in words if "=" in word}
    said |= {found for span in inline for found in re.findall(r"^([A-Z][A-Z_]+)=", span)}
    assert said <= variables()


def variables() -> set[str]:
    """What Makefile and tools read."""
    tools = [path.read_text() for folder in ("tools",) for path in (ROOT / folder).rglob("*.py")]
    return {
        *re.findall(r'"([A-Z][A-Z_]+)"', "\n".join(tools)),
        *re.findall(r"\$[({]([A-Z][A-Z_]+)", (ROOT / "Makefile").read_text()),
    }
