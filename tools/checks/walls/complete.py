"""Require a question for each role, each allowed action and each denying statement."""

import fnmatch
from collections.abc import Iterator, Sequence

from tools.checks.walls.reference import listed
from tools.checks.walls.rendered import Policy, Rendered
from tools.checks.walls.table import Verdict, Wall


def gaps(rendered: Rendered, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a sentence for each role, action and denying statement that no row decides."""
    deciding = _deciding(verdicts)
    for id_, policy in rendered.policies.items():
        yield from _undecided(id_, policy, deciding)
    principals = {each.asked.question.principal for each in verdicts}
    for arn, role in rendered.roles.items():
        if (role.identity or role.name in rendered.functions) and arn not in principals:
            yield f"{role.name} has no row: add rows for this role"
    for row in dict.fromkeys(each.asked.wall for each in verdicts):
        yield from _twinless(row)


def undecided(id_: str, policy: Policy, verdicts: Sequence[Verdict]) -> list[str]:
    """Return a sentence for each action and denying statement of a policy that no row decides."""
    return list(_undecided(id_, policy, _deciding(verdicts)))


def _deciding(verdicts: Sequence[Verdict]) -> set[tuple[str, int, str]]:
    """Return the statements that decided a question as its row expects: policy, index, and action in lower case."""
    return {
        (statement.policy, statement.index, each.asked.question.action.lower())
        for each in verdicts
        if each.holds
        for statement in (each.answer.allowing if each.asked.expected else each.answer.denying)
    }


def _undecided(id_: str, policy: Policy, deciding: set[tuple[str, int, str]]) -> Iterator[str]:
    for index, statement in enumerate(listed(policy.document["Statement"]), 1):
        decided = {action for policy_id, number, action in deciding if (policy_id, number) == (id_, index)}
        name = f"{statement.get('Sid', f'statement {index}')} of {id_}"
        if statement["Effect"] == "Deny":
            if not decided:
                yield f"{name} denies nothing in the table: add a row that must fail because of it"
            continue
        for action in listed(statement.get("Action", "*")):
            if not fnmatch.filter(decided, action.lower()):
                yield f"{name} allows {action}, and no row asks for it: add a row, or remove the action"


def _twinless(row: Wall) -> Iterator[str]:
    if row.on and not row.has_twin:
        yield f"{row.who.name} {row.does}: the row has no twin that must fail: add one"
