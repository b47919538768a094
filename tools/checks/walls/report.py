"""`make walls`: print the table of questions with the answers, and require that each answer is as expected."""

import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from tools.checkout import ToolError
from tools.checks import npm
from tools.checks.policy import plans as mocked
from tools.checks.walls import complete, exceptions, plans, rendered, sizes, table
from tools.checks.walls.evaluator import ask
from tools.checks.walls.rendered import Rendered
from tools.checks.walls.rows import WALLS
from tools.checks.walls.table import Asked, Verdict, Wall

WIDTH = 120


def main(environ: Mapping[str, str]) -> int:
    """Print the rows of WHO, or the names of all principals. Then print what is wrong, and return 1 if something is."""
    if reason := npm.missing():
        raise ToolError(f"The table needs Node: {reason}")
    found = policies()
    verdicts = judge(found, WALLS)
    for line in lines(verdicts, environ["WHO"]) if environ["WHO"] else principals(verdicts):
        print(line)
    wrong = list(faults(found, verdicts))
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def policies() -> Rendered:
    """Return the policies of all accounts, environments and workspaces."""
    with tempfile.TemporaryDirectory(prefix="walls-") as copies:
        return rendered.collect(plans.plan_all(partial(mocked.copied, Path(copies))))


def judge(found: Rendered, walls: Sequence[Wall]) -> list[Verdict]:
    """Return the answers to all questions of rows."""
    asked = table.asked(walls, found)
    answers = ask(table.policies(found), [each.question for each in asked])
    return [Verdict(*pair) for pair in zip(asked, answers, strict=True)]


def principals(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a line for each principal: its name, and how many requests are allowed and refused."""
    for name, rows in _by_principal(verdicts).items():
        answers = [each.answer.allowed for of_row in rows.values() for each in of_row]
        yield f"{name:64} {answers.count(True):5} allowed  {answers.count(False):5} refused"
    yield "\nmake walls WHO=workspaces-development prints the requests of this principal, and WHO=. those of all"


def lines(verdicts: Sequence[Verdict], who: str = ".") -> Iterator[str]:
    """Yield the table as text: the principals, under them the rows, and under these the answers with their reasons.

    `who` is a regular expression; a principal has rows in the text if a part of its name matches.
    """
    for name, rows in _by_principal(verdicts).items():
        if not re.search(who, name):
            continue
        yield f"\n{name}"
        for row, of_row in rows.items():
            yield from _wrapped(f"  {row.does}: {', '.join(row.actions)}")
            yield from _answers(row, of_row)


def _by_principal(verdicts: Sequence[Verdict]) -> dict[str, dict[Wall, list[Verdict]]]:
    found: dict[str, dict[Wall, list[Verdict]]] = {}
    for each in verdicts:
        found.setdefault(each.asked.wall.who.name, {}).setdefault(each.asked.wall, []).append(each)
    return found


def _answers(row: Wall, verdicts: Sequence[Verdict]) -> Iterator[str]:
    requests: dict[str, dict[str, list[str]]] = {}
    for each in verdicts:
        answer = f"{'   ' if each.holds else '!! '} {'Yes' if each.answer.allowed else 'No '} {each.answer.reason}"
        of_answer = requests.setdefault(answer, {})
        of_answer.setdefault(_request(each.asked), []).append(each.asked.question.action)
    for answer, of_answer in requests.items():
        texts = [
            text if len(set(actions)) == len(row.actions) else f"{text} ({', '.join(dict.fromkeys(actions))})"
            for text, actions in of_answer.items()
        ]
        yield from _wrapped(f"{answer}: {', '.join(texts)}")


def _request(asked: Asked) -> str:
    """Return what distinguishes a request from the others of its row."""
    by = "" if asked.who.name == asked.wall.who.name else f" by {asked.who.name}"
    when = "" if asked.when == asked.wall.when else f" with {asked.when or 'nothing'}"
    is_plain = len(asked.wall.on) == 1 and asked.place == asked.wall.on[0] and (by or when)
    return f"{by}{when}".strip() if is_plain else f"{asked.where}{by}{when}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text.replace("arn:aws:", ""),
        WIDTH,
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )


def faults(found: Rendered, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a sentence for each fault of the policies and of the table."""
    yield from failures(verdicts)
    yield from exceptions.unaccepted([*complete.gaps(found, verdicts), *exceptions.faults(found)])
    yield from sizes.too_large(found)


def failures(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a sentence for each answer that is not as expected."""
    for each in verdicts:
        if not each.holds:
            expected = "is refused" if each.asked.expected else "is allowed"
            yield f"{each.asked} {expected}: {each.answer.reason}"
