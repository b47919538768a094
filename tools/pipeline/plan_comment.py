"""Write a pull request comment with the planned changes, the policies' verdict and the package's digest."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.checkout import ToolError, UsageError, read_json, read_text
from tools.slipway_client.runner import needed

# GitHub allows 65,536 characters in a comment.
MOST_CHARACTERS = 60_000
_MOST_LINES = 60
_MOST_IN_A_LINE = 500
_MOST_POLICY_CHARACTERS = 4_000

_KINDS = {"added": "+", "changed": "~", "replaced": "±", "destroyed": "-"}


def comment(environ: Mapping[str, str]) -> str:
    """Return the comment in Markdown. Raise UsageError if a plan can't be read."""
    if not environ.get("POLICY"):
        needed(environ, "PLANS", "development=plan.json")
    plans = [(title, Path(path)) for title, path in map(_named, environ.get("PLANS", "").split())]
    parts = ["## Planned changes", *_table(plans)]
    for title, path in plans:
        parts += _details(title, changes(_plan(path)))
    parts += _policy(environ)
    if digest := environ.get("DIGEST"):
        parts += ["", f"Package: {_code(digest)} of {_code(environ.get('ARTIFACT') or 'this tree')}"]
    text = "\n".join(parts) + "\n"
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS].rpartition("\n")[0]
        # Only the fences of code blocks have backticks in a row.
        end = "\n```\n</details>" if text.count("```") % 2 else ""
        text += f"{end}\n\nThe rest is cut off: see the run's log\n"
    return text


def main(environ: Mapping[str, str]) -> None:
    """Print the comment."""
    print(comment(environ))


def changes(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the addresses of the resources that a plan changes, by kind of change."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for resource in plan.get("resource_changes", []):
        kind = _kind(resource["change"]["actions"])
        if kind is not None and resource.get("mode") != "data":
            found[kind].append(resource["address"])
    return found


def _kind(actions: list[str]) -> str | None:
    match sorted(actions):
        case ["create"]:
            return "added"
        case ["update"]:
            return "changed"
        case ["create", "delete"]:
            return "replaced"
        case ["delete"]:
            return "destroyed"
    return None  # no-op, read and forget change nothing on AWS


def _table(plans: list[tuple[str, Path]]) -> Iterator[str]:
    if not plans:
        return
    yield "| | " + " | ".join(_KINDS) + " |"
    yield "|---|" + "---|" * len(_KINDS)
    for title, path in plans:
        found = changes(_plan(path))
        yield f"| {_code(title)} | " + " | ".join(str(len(found[kind])) for kind in _KINDS) + " |"


def _details(title: str, found: Mapping[str, list[str]]) -> Iterator[str]:
    # Destroyed resources come first, so that they are not cut off.
    order = ("destroyed", "replaced", "changed", "added")
    lines = [f"{_KINDS[kind]} {_harmless(address)}" for kind in order for address in found[kind]]
    if not lines:
        return
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"…and {len(lines) - _MOST_LINES} more"]
    yield from ("", f"<details><summary>{_harmless(title)}</summary>", "", "```diff", *lines, "```", "</details>")


def _policy(environ: Mapping[str, str]) -> Iterator[str]:
    path = environ.get("POLICY")
    if not path:
        return
    said = read_text(Path(path)) if Path(path).exists() else ""
    outcome = environ.get("POLICY_OUTCOME") or "unknown"
    verdict = {"success": "all hold", "failure": "**violated**"}.get(outcome, f"not checked ({_harmless(outcome)})")
    shown = [_harmless(line) for line in said[-_MOST_POLICY_CHARACTERS:].splitlines()]
    yield from ("", f"Policies: {verdict}")
    if shown:
        yield from ("", "<details><summary>output</summary>", "", "```text", *shown, "```", "</details>")


def _plan(path: Path) -> dict[str, Any]:
    try:
        plan = read_json(path)
    except (OSError, ToolError) as error:
        raise UsageError(f"{path} is not a plan ({error}): save one with `terraform show -json`") from None
    if not isinstance(plan, dict) or "format_version" not in plan:
        raise UsageError(f"{path} is not a plan in JSON: save one with `terraform show -json`")
    return plan


def _named(word: str) -> tuple[str, str]:
    title, sign, path = word.partition("=")
    if not sign:
        raise UsageError(f"PLANS has a plan without a title: set PLANS=development={word}")
    return title, path


def _code(text: str) -> str:
    """Return the text as code, which can neither mention people nor contain links: a stranger can write a plan."""
    return f"`{_harmless(text)}`"


def _harmless(text: str) -> str:
    """Replace characters that could end a line, a fence, inline code or a tag, or mention people. Cut a long text."""
    cut = text if len(text) <= _MOST_IN_A_LINE else f"{text[:_MOST_IN_A_LINE]}…"
    return "".join(letter if letter.isprintable() and letter not in "`<>@" else "?" for letter in cut)
