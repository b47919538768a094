"""README.md and docs/: what they tell people to type is there and is run by a test, and they leave nothing out."""

import re
import shlex

import pytest

from tests.support.checkout import ROOT
from tests.support.page import blocks, names, script, sh, text
from tools.__main__ import GROUPS, commands_of
from tools.commands import Command

COMMANDS = {f"{group} {command.name}": command for group in GROUPS for command in commands_of(group)}
MAKEFILE = (ROOT / "Makefile").read_text()
# Each target of make, and the commands of the tools that it runs.
TARGETS = {
    target: re.findall(r"\$\(tools\) ([a-z]+ [a-z-]+)", recipe)
    for target, recipe in re.findall(r"^([a-z][a-z-]*):.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
}
# Each target that `make help` lists, with what it says of it.
LISTED = dict(re.findall(r"^([a-z-]+):.*## (.*)$", MAKEFILE, re.MULTILINE))

PAGES = "\n".join(map(text, names()))
TOOLS = "\n".join(path.read_text() for path in (ROOT / "tools").rglob("*.py"))
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))

# Targets of the pages that no test runs, with the reason.
NOT_RUN = {
    **dict.fromkeys(("check", "test", "test-all", "workflows"), "a test would run the tests"),
    "nightly": "it takes an hour, and its parts are run",
    "lock": "it asks the package index; what it wrote is held by tests/unit/test_requirements.py",
    "format": "it is ruff's; `make lint` holds what comes of it",
    "lint": "`make test` runs it",
    "bench": "it takes half a minute of the processor; its report and its figures are tested",
    "checkov": "its function prints what the tests of checkov ask",
    "destroy": "`make workspace-destroy` does the same to a workspace",
    "package": "its function prints the digest of compose.package, which is run",
}

# Read by tools, and set by the system, by GitHub's runners, or by a web server.
NOT_SET_BY_PEOPLE = (
    r"(ACTIONS|GITHUB|HTTP|REQUEST|CONTENT|MOTO|XDG)_\w+|HOME|PATH|PATH_INFO|RAW_URI|TF_CLI_CONFIG_FILE|"
    "SLIPWAY_DATABASES"
)


def lines(page: str) -> list[list[str]]:
    """The words of each line that a page tells people to type, of make and the tools, in blocks or in a sentence."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL))
    shell = "".join(block.text for block in blocks(page) if block.language == "sh").replace("\\\n", " ").splitlines()
    typed = [re.sub(r"\$\((?!make)[^()]*\)", "…", " ".join(line.split())) for line in [*spans, *shell]]
    found = [each for line in typed for each in re.findall(r"(?:^|\(|&& )((?:make|\S+ -m tools) [^)&]*)", line)]
    return [shlex.split(each, comments=True) for each in found]


def called(words: list[str]) -> list[str]:
    """The targets, or the command of the tools, that a line calls."""
    found = words[1:] if words[0] == "make" else [" ".join(words[3:5])]
    return [each for each in found if re.fullmatch("[a-z][a-z -]*", each)]


def check_options(command: Command, words: list[str]) -> None:
    """Assert that the command has these options, and the options these values."""
    options = {option.variable: option for option in command.options}
    for name, value in (word.split("=", 1) for word in words if re.match("[A-Z_]+=", word)):
        if name == "PYTHON":  # the Makefile's own
            continue
        assert name in options, f"{command.name} has no option {name}"
        if value and value != "…":
            options[name].check(value)


@pytest.mark.parametrize("page", names())
def test_what_a_page_tells_to_type_is_there_with_its_options(page: str) -> None:
    for words in lines(page):
        for name in called(words):
            assert name in TARGETS or name in COMMANDS, f"there is no {name}: {words}"
            if words[0] == "make":
                for command in TARGETS[name]:
                    check_options(COMMANDS[command], words)
            else:
                COMMANDS[name].variables(name, words[5:], {})


@pytest.mark.parametrize("target", LISTED)
def test_what_make_help_says_of_a_target_are_its_options(target: str) -> None:
    for command in TARGETS[target]:
        check_options(COMMANDS[command], [f"{name}=" for name in re.findall(r"\b([A-Z_]+)=", LISTED[target])])


def test_every_target_and_every_setting_is_documented() -> None:
    options = {option.variable for command in COMMANDS.values() for option in command.options}
    read = {name for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', TOOLS) if name not in options}
    # Those of commands are documented by their --help.
    settings = {name for name in read if not re.fullmatch(NOT_SET_BY_PEOPLE, name)}

    assert [target for target in LISTED if not re.search(rf"\bmake (-s )?{target}\b", PAGES)] == []
    assert [name for name in settings if f"`{name}`" not in PAGES] == []


def test_make_help_lists_every_target() -> None:
    assert re.findall("^  make ([a-z-]+) ", sh("make help"), re.MULTILINE) == list(LISTED)


def test_every_variable_that_a_page_names_is_read() -> None:
    spans = re.findall(r"`([A-Z][A-Z_]+)=", PAGES)
    known = {*re.findall(r'"([A-Z][A-Z_]+)"', TOOLS), "PYTHON"}  # the Makefile reads that one

    assert sorted(set(spans) - known) == []


@pytest.mark.parametrize("page", names())
def test_what_a_page_tells_to_type_is_run_by_a_test(page: str) -> None:
    for name in {name for words in lines(page) for name in called(words)} - NOT_RUN.keys():
        assert is_run(name), f"no test runs {name}, and NOT_RUN has no reason for it"


def is_run(name: str) -> bool:
    """True if a test types a target, calls a command or its function, or runs a page's section that has it."""
    ways = [rf'["\']make (?:-s )?{name}\b']
    for command in [name, *TARGETS.get(name, [])]:
        if command in COMMANDS:
            module, function = COMMANDS[command].function.split(":")
            ways.append(r'"{}",\s+"{}"'.format(*command.split()))
            ways.append(rf"\b{module.rpartition('.')[2]}\.{function}\(")
    sections = re.findall(r'\bscript\("([^"]+\.md)"(?:, "([^"]+)")?', TESTS)
    return any(re.search(way, TESTS) for way in ways) or any(
        re.search(rf"\b(?:make|tools) (?:-s )?{name}\b", script(page, heading))
        for page, heading in sections
        if any(block.needs is None and block.heading.startswith(heading) for block in blocks(page))
    )


@pytest.mark.parametrize("page", names())
def test_every_block_says_what_it_is(page: str) -> None:
    assert {block.language for block in blocks(page)} <= {"sh", "yaml", "json", "python", "text"}
    assert "```" not in re.sub(r"^ *```.*$", "", text(page), flags=re.MULTILINE), "a fence stands on a line of its own"
