"""Write a step's annotations, summary and outputs for GitHub Actions. Elsewhere, print to the terminal.

This module uses only the standard library: the actions for other repositories run it with any Python.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.checkout import ToolError, UsageError


def say(text: str) -> None:
    """Print text and flush the output. GitHub runs no command in the text: a server's answer can be part of it.

    GitHub runs `::command::` at the start of a line, and the older `##[command]` anywhere:
    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    harmless = (re.sub(r"^(\s*):(?=:)", r"\1: ", line).replace("##[", "## [") for line in text.splitlines() or [""])
    _print("\n".join(harmless))


def note(environ: Mapping[str, str], text: str) -> None:
    """Show a notice on the run's page and in its summary; the step goes on."""
    _annotate(environ, "notice", text)
    summarize(environ, f"> [!NOTE]\n> {_one_line(text)}\n")


def warn(environ: Mapping[str, str], text: str) -> None:
    """Show a warning on the run's page and in its summary; the step goes on."""
    _annotate(environ, "warning", text)
    summarize(environ, f"> [!WARNING]\n> {_one_line(text)}\n")


def fail(environ: Mapping[str, str], text: str) -> None:
    """Show an error on the run's page and in its summary."""
    _annotate(environ, "error", text)
    summarize(environ, "> [!CAUTION]\n" + "".join(f"> {line}\n" for line in text.splitlines()))


def summarize(environ: Mapping[str, str], markdown: str) -> None:
    """Add text to the run's summary. Outside GitHub, do nothing. A step never fails because of its summary."""
    try:
        _append(environ, "GITHUB_STEP_SUMMARY", markdown + "\n")
    except OSError as error:
        say(f"warning: the run's summary can't be written: {error}")


def put_out(environ: Mapping[str, str], **values: str) -> None:
    """Set outputs of the step, and print them. Raise ToolError if they can't be set: later steps need them."""
    for name, value in values.items():
        # A line break in a value would start another output.
        line = f"{name.replace('_', '-')}={_one_line(value)}"
        say(line)
        try:
            _append(environ, "GITHUB_OUTPUT", line + "\n")
        except OSError as error:
            raise ToolError(
                f"The step's outputs can't be written to GITHUB_OUTPUT={environ['GITHUB_OUTPUT']} ({error.strerror}): "
                "let the step write to this file"
            ) from None


def run_url(environ: Mapping[str, str]) -> str | None:
    """Return the address of this run's page, or None outside GitHub."""
    server, repository, run = map(environ.get, ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def needed(environ: Mapping[str, str], name: str, example: str) -> str:
    """Return a variable's value. Raise UsageError if the variable is empty."""
    value = environ.get(name, "").strip()
    if not value:
        raise UsageError(f"{name} is missing: set {name}={example}")
    return value


def _annotate(environ: Mapping[str, str], level: str, text: str) -> None:
    if environ.get("GITHUB_ACTIONS"):
        # A workflow command is one line, with these three characters escaped:
        # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        _print(f"::{level}::{escaped}")
    else:
        say(f"{level}: {text}")


def _print(text: str) -> None:
    """Print text, with `?` for each character that the output can't show: a step never fails because of a character."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, errors="replace").decode(encoding), flush=True)


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    if path := environ.get(variable):
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
