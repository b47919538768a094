"""`python -m tools GROUP COMMAND` takes options and variables, and explains wrong input."""

import subprocess
import sys
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tools.__main__ import GROUPS, commands_of, main
from tools.commands import Command, Option

COMMANDS = [(group, command) for group in GROUPS for command in commands_of(group)]


def a_command(**option: Any) -> Command:
    return Command("plan", "Plan it", "module:function", (Option("ENV", "the environment", **option),))


def variables(*arguments: str, environ: dict[str, str] | None = None, **option: Any) -> dict[str, str]:
    return a_command(**option).variables("tools", arguments, environ or {})


@pytest.mark.parametrize(("group", "command"), COMMANDS, ids=[f"{group} {each.name}" for group, each in COMMANDS])
def test_every_command_can_be_loaded_and_has_help(
    group: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(command.load())

    with pytest.raises(SystemExit) as end:
        main([group, command.name, "--help"], {})

    assert end.value.code == 0
    assert command.help in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [["--help"], ["aws", "--help"]])
def test_groups_and_commands_are_listed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments, {}) == 0

    assert "  rollback " in capsys.readouterr().out


def test_an_option_wins_over_its_variable_and_a_variable_over_the_default() -> None:
    assert variables("--env", "b", environ={"ENV": "a"}) == {"ENV": "b"}
    assert variables(environ={"ENV": "a"}, default="c") == {"ENV": "a"}
    assert variables(environ={"ENV": ""}, default="c") == {"ENV": "c"}
    assert variables() == {"ENV": ""}


@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        ([], {}, "usage: python -m tools GROUP COMMAND"),
        (["aws"], {}, "rollback"),
        (["clouds"], {}, "There is no group 'clouds': use one of local, package, aws"),
        (["aws", "fly"], {}, "has no command 'fly'"),
        (["aws", "plan"], {}, "ENV is missing: set ENV=development|preproduction|production or pass --env"),
        (["aws", "plan", "--env", "staging"], {}, "ENV is 'staging': set ENV=development|preproduction|production"),
        (["aws", "plan"], {"ENV": "staging"}, "ENV is 'staging': set ENV=development|preproduction|production"),
        (["aws", "plan", "--env"], {}, "Argument --env: expected one argument"),
        (["aws", "plan", "--environment", "development"], {}, "Unrecognized arguments: --environment development"),
        (["aws", "logs", "--env", "development", "--follow", "yes"], {}, "Unrecognized arguments: yes"),
        (["aws", "logs", "--env", "development"], {"FOLLOW": "yes"}, "FOLLOW is 'yes': set FOLLOW=1"),
        (["aws", "plan", "--env", "development", "--emulated", "no"], {}, "EMULATED is 'no': set 1, or the port"),
        (["aws", "logs", "--env", "development", "--workspace", "No"], {}, "'No' can't name a workspace"),
        (["aws", "route", "--env", "development", "--workspace", "a", "--client", "j"], {}, "UNTIL is missing"),
        (["local", "token", "--role", "pipeline"], {}, "name them, as in ROLE=pipeline SYSTEM=shop"),
        (["local", "run", "--port", "http"], {}, "make run PORT=8001"),
        (["local", "acceptance", "--url", "ftp://x"], {}, "URL=ftp://x is not a service's address"),
        (["checks", "fuzz", "--examples", "many"], {}, "EXAMPLES is 'many'"),
        (["pipeline", "artifact"], {"ENV": "staging"}, "ENV is 'staging'"),
        (["pipeline", "artifact-attested"], {}, "GITHUB_REPOSITORY"),
        (["pipeline", "plan-comment"], {}, "PLANS"),
    ],
)
def test_wrong_or_missing_input_is_explained_with_exit_code_2(
    arguments: list[str], environ: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, dict(environ)) == 2

    said = capsys.readouterr()
    assert told in said.out + said.err
    assert "Traceback" not in said.err


def test_on_github_a_failure_is_an_annotation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aws", "plan"], {"GITHUB_ACTIONS": "true"}) == 2

    assert capsys.readouterr().out.startswith("::error::ENV is missing")


# Prints lines until its reader ends. The lines are printed as `logs` prints them.
_PRINTS = """
import sys
import tools.__main__ as program
[given] = [each for each in program.commands_of("aws") if each.name == sys.argv[1]]
run = lambda environ: [print(number, flush=True) for number in range(100_000)] and None
shown = type("Shown", (type(given),), {"load": lambda self: run, "variables": lambda *_: {}})
program.commands_of = lambda _: [shown(given.name, given.help, given.function, (), given.only_prints)]
sys.exit(program.main(["aws", sys.argv[1]], {}))
"""


# An apply that stops halfway has failed.
@pytest.mark.parametrize(("command", "code"), [("logs", "0"), ("db-shell", "0"), ("apply", "1")])
def test_a_reader_that_ends_early_is_a_failure_only_if_the_command_does_more_than_print(
    command: str, code: str
) -> None:
    line = f"{sys.executable} -c '{_PRINTS}' {command} | head -2; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=30)

    assert (done.stdout.split(), done.stderr) == (["0", "1", code], "")


def test_help_can_be_cut_off() -> None:
    line = f"{sys.executable} -m tools --help | true; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stderr) == (0, "")


def test_commands_for_other_repositories_need_only_python() -> None:
    program = f"""
import runpy, sys
sys.path.insert(0, {str(ROOT)!r})
sys.argv = ["tools", "client", "may-promote"]
runpy.run_module("tools", run_name="__main__")
"""

    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=30)

    assert done.returncode == 2
    assert "SLIPWAY_SYSTEM is missing" in done.stderr
