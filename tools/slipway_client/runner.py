"""What GitHub Actions gives a step, and takes from it; on a person's machine the terminal takes its place.

Nothing but the standard library: the actions for other repositories run this with whatever Python is there.
"""

from collections.abc import Mapping

from tools.checkout import UsageError


def say(line: str) -> None:
    """A line for whoever reads the log."""
    print(line, flush=True)


def warn(environ: Mapping[str, str], text: str) -> None:
    """What nobody must overlook, though the step goes on: on top of the run's page, and in its summary."""
    _annotate(environ, "warning", text)
    summarize(environ, f"> [!WARNING]\n> {_one_line(text)}\n")


def fail(environ: Mapping[str, str], text: str) -> None:
    """Why the step ends here."""
    _annotate(environ, "error", text)
    summarize(environ, "> [!CAUTION]\n" + "".join(f"> {line}\n" for line in text.splitlines()))


def summarize(environ: Mapping[str, str], markdown: str) -> None:
    """Add to the summary of the run; off GitHub there is none."""
    _append(environ, "GITHUB_STEP_SUMMARY", markdown + "\n")


def put_out(environ: Mapping[str, str], **values: str) -> None:
    """The outputs of the step; a person reads them."""
    for name, value in values.items():
        # A line break would begin another output, of whatever name.
        line = f"{name.replace('_', '-')}={_one_line(value)}"
        say(line)
        _append(environ, "GITHUB_OUTPUT", line + "\n")


def run_url(environ: Mapping[str, str]) -> str | None:
    """The page of this run."""
    if not environ.get("GITHUB_RUN_ID"):
        return None
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"


def needed(environ: Mapping[str, str], name: str, example: str) -> str:
    """A variable that has to be set. Raises UsageError."""
    value = environ.get(name, "").strip()
    if not value:
        raise UsageError(f"{name} is missing: say {name}={example}")
    return value


def _annotate(environ: Mapping[str, str], level: str, text: str) -> None:
    if environ.get("GITHUB_ACTIONS"):
        # A command is one line, in which these three are escaped ("Workflow commands", GitHub's documentation).
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        say(f"::{level}::{escaped}")
    else:
        say(f"{level}: {text}")


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    if path := environ.get(variable):
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 (as plain as it gets)
            file.write(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
