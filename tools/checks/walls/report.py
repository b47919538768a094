"""`make walls`: print the table of questions with the answers, and require that each answer is as expected."""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from tools.checkout import ToolError
from tools.checks import npm
from tools.checks.policy import plans as mocked
from tools.checks.walls import complete, exceptions, plans, rendered, sizes, table
from tools.checks.walls.evaluator import ask
from tools.checks.walls.rendered import Rendered
from tools.checks.walls.rows import WALLS
from tools.checks.walls.table import Verdict, Wall


def main(environ: Mapping[str, str]) -> int:
    """Print the table, and then what is wrong. Return 1 if something is wrong."""
    if reason := npm.missing():
        raise ToolError(f"The table needs Node: {reason}")
    found = policies()
    verdicts = judge(found, WALLS)
    for line in lines(verdicts):
        print(line)
    wrong = [*failures(verdicts), *complete.gaps(found, verdicts), *exceptions.faults(found), *sizes.too_large(found)]
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def policies() -> Rendered:
    """Return the policies of all accounts, environments and workspaces."""
    with tempfile.TemporaryDirectory(prefix="walls-") as copies:
        return rendered.collect(plans.plan_all(partial(mocked.initialised, Path(copies))))


def judge(found: Rendered, walls: Sequence[Wall]) -> list[Verdict]:
    """Return the answers to all questions of rows."""
    asked = table.asked(walls, found)
    answers = ask(table.policies(found), [each.question for each in asked])
    return [Verdict(*pair) for pair in zip(asked, answers, strict=True)]


def lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the table as text: a line for each row, and under it a line for each resource and each decision."""
    for row, of_row in groupby(verdicts, lambda each: each.asked.wall):
        yield f"\n{row.who.name} {row.does}"
        decisions: dict[tuple[str, str], list[str]] = {}
        for each in of_row:
            answer = "Yes" if each.answer.allowed else "No "
            at = f"{'   ' if each.holds else '!! '}{answer} {each.asked.where}"
            decisions.setdefault((at, each.answer.reason), []).append(each.asked.question.action)
        for (at, reason), actions in decisions.items():
            yield f"{at}: {reason} ({', '.join(dict.fromkeys(actions))})"


def failures(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a sentence for each answer that is not as expected."""
    for each in verdicts:
        if not each.holds:
            expected = "is refused" if each.asked.expected else "is allowed"
            yield f"{each.asked} {expected}: {each.answer.reason}"
