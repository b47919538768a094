"""Commands on the pages exist, and tests run them. Every target and setting is documented."""

import re
import shlex

import pytest

from tests.support.checkout import ROOT
from tests.support.page import blocks, names, script, sh, text
from tools.__main__ import GROUPS, commands_of
from tools.commands import Command

COMMANDS = {f"{group} {command.name}": command for group in GROUPS for command in commands_of(group)}
MAKEFILE = (ROOT / "Makefile").read_text()
# Each make target, with the tools commands that it runs.
TARGETS = {
    target: re.findall(r"\$\(tools\) ([a-z]+ [a-z-]+)", recipe)
    for target, recipe in re.findall(r"^([a-z][a-z-]*):.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
}
# Each target that `make help` lists, with its help.
LISTED = dict(re.findall(r"^([a-z-]+):.*## (.*)$", MAKEFILE, re.MULTILINE))

PAGES = "\n".join(map(text, names()))
TOOLS = "\n".join(path.read_text() for path in (ROOT / "tools").rglob("*.py"))
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))

# Targets in the docs that no test runs, with the reason.
NOT_RUN = {
    **dict.fromkeys(("check", "test", "test-all", "workflows"), "runs the tests, and tests can't run themselves"),
    "nightly": "takes half an hour; other tests run its parts",
    "lock": "needs the package index; tests/unit/test_requirements.py checks the output",
    "format": "only runs ruff, and `make lint` checks the result",
    "lint": "`make test` runs it",
    "clean": "deletes what the other tests use",
    "bench": "takes two minutes; tests/unit/tools/test_bench.py tests the report",
    "capacity": "takes a minute; tests/service/test_capacity.py measures for an instant",
    "checkov": "only prints what checkov finds, which tests/infra/test_checkov.py tests",
    "costs": "only prints the table that tests/infra/test_costs.py computes",
    "destroy": "runs the code of `make workspace-destroy`, which is tested",
    "package": "only prints the digest of compose.package, which tests/infra tests",
}

# Variables that the tools read but people do not set: the operating system, a runner or a program sets them.
NOT_SET_BY_PEOPLE = (
    r"(ACTIONS|GITHUB|RUNNER|HTTP|REQUEST|CONTENT|MOTO|XDG)_\w+|HOME|PATH|PATH_INFO|RAW_URI|TF_CLI_CONFIG_FILE|"
    "SLIPWAY_DATABASES"
)


def lines(page: str) -> list[list[str]]:
    """Return the words of each command of make or the tools on a page, from code blocks and from sentences."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL))
    shell = "".join(block.text for block in blocks(page) if block.language == "sh").replace("\\\n", " ").splitlines()
    typed = [re.sub(r"\$\((?!make)[^()]*\)", "…", " ".join(line.split())) for line in [*spans, *shell]]
    found = [
        each for line in typed for each in re.findall(r'(?:^|\(|&& )((?:make|\S+ -m tools) (?:"[^"]*"|[^)&"])*)', line)
    ]
    return [shlex.split(each, comments=True) for each in found]


def called(words: list[str]) -> list[str]:
    """Return the targets or the tools command in the words of a line."""
    found = words[1:] if words[0] == "make" else [" ".join(words[3:5])]
    return [each for each in found if re.fullmatch("[a-z][a-z -]*", each)]


def check_options(command: Command, words: list[str]) -> None:
    """Require that the command accepts each option in `words`, with its value."""
    options = {option.variable: option for option in command.options}
    for name, value in (word.split("=", 1) for word in words if re.match("[A-Z_]+=", word)):
        if name == "PYTHON":  # the Makefile reads PYTHON, the commands do not
            continue
        assert name in options, f"{command.name} has no option {name}: correct or remove {name}="
        if value and value != "…":
            options[name].check(value)


@pytest.mark.parametrize("page", names())
def test_commands_and_options_on_a_page_exist(page: str) -> None:
    for words in lines(page):
        for name in called(words):
            assert name in TARGETS or name in COMMANDS, (
                f"{name} is neither a make target nor a command: correct {words}"
            )
            if words[0] == "make":
                for command in TARGETS[name]:
                    check_options(COMMANDS[command], words)
            else:
                COMMANDS[name].variables(name, words[5:], {})


@pytest.mark.parametrize("target", LISTED)
def test_options_in_make_help_exist(target: str) -> None:
    for command in TARGETS[target]:
        check_options(COMMANDS[command], [f"{name}=" for name in re.findall(r"\b([A-Z_]+)=", LISTED[target])])


def test_every_target_and_every_setting_is_documented() -> None:
    options = {option.variable for command in COMMANDS.values() for option in command.options}
    read = {name for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', TOOLS) if name not in options}
    # Commands document their own settings in --help.
    settings = {name for name in read if not re.fullmatch(NOT_SET_BY_PEOPLE, name)}

    assert [target for target in LISTED if not re.search(rf"\bmake (-s )?{target}\b", PAGES)] == []
    assert [name for name in settings if f"`{name}`" not in PAGES] == []


def test_make_help_lists_every_target() -> None:
    assert re.findall("^  make ([a-z-]+) ", sh("make help"), re.MULTILINE) == list(LISTED)


def test_every_variable_that_a_page_names_is_read() -> None:
    spans = re.findall(r"`([A-Z][A-Z_]+)=", PAGES)
    known = {*re.findall(r'"([A-Z][A-Z_]+)"', TOOLS), "PYTHON"}  # only the Makefile reads PYTHON

    assert sorted(set(spans) - known) == []


@pytest.mark.parametrize("page", names())
def test_commands_on_a_page_are_run_by_a_test(page: str) -> None:
    for name in {name for words in lines(page) for name in called(words)} - NOT_RUN.keys():
        assert is_run(name), f"no test runs {name}: add a test, or add {name} to NOT_RUN with a reason"


def is_run(name: str) -> bool:
    """True if the tests call a target or a command by name, call its function, or run a page's section with it."""
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
def test_every_code_block_names_its_language(page: str) -> None:
    assert {block.language for block in blocks(page)} <= {"sh", "yaml", "json", "python", "sql", "diff", "text"}
    assert "```" not in re.sub(r"^ *```.*$", "", text(page), flags=re.MULTILINE), (
        f"{page} has a code fence after other text: start a new line before the fence"
    )
