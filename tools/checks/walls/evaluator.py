"""Ask a simulator of IAM. One Node process answers all questions of a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tools import lifeline
from tools.checkout import ToolError
from tools.checks import kept, npm
from tools.checks.walls.rendered import Policy

# Thousands of questions take some seconds, and minutes on a busy machine.
SECONDS = 600


@dataclass(frozen=True)
class Question:
    """One request to AWS. The last three fields are ids of policies."""

    # The principal's ARN, a service such as `lambda.amazonaws.com`, or None for an anonymous request.
    principal: str | None
    action: str
    resource: str
    # The account that owns the resource.
    account: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    boundary: str | None = None
    resourcePolicy: str | None = None  # noqa: N815 (the name in simulate.mjs)


@dataclass(frozen=True)
class Statement:
    """A statement of a policy. `index` counts from 1."""

    policy: str
    index: int
    sid: str | None

    def __str__(self) -> str:
        return f"{self.sid or f'statement {self.index}'} of {self.policy}"


@dataclass(frozen=True)
class Answer:
    """The answer to a question, with the statements that decided."""

    allowed: bool
    allowing: tuple[Statement, ...]
    denying: tuple[Statement, ...]
    # The kinds of policies that refuse a request that other policies allow: `pb` is the boundary.
    blocked_by: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The deciding statements, in words."""
        if self.denying:
            return f"denied by {self.denying[0]}"
        if self.allowed:
            return f"allowed by {' and '.join(map(str, self.allowing))}"
        return "outside of the boundary" if "pb" in self.blocked_by else "no statement allows it"


def ask(policies: Mapping[str, Policy], questions: Sequence[Question]) -> list[Answer]:
    """Return the answers, in order. Raise ToolError if a policy or a question is wrong. Call `npm.missing` first.

    The answers to the same questions about the same policies are kept between runs.
    """
    # Several questions are often the same. The keys of `numbers` are the different ones, in order.
    texts = [json.dumps(asdict(each), sort_keys=True) for each in questions]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    sent = {
        "policies": {id_: {"kind": each.kind, "document": each.document} for id_, each in policies.items()},
        "questions": [json.loads(text) for text in numbers],
    }
    simulator = (npm.SOURCE / "simulate.mjs").read_text()
    packages = (npm.SOURCE / "package-lock.json").read_text()
    told = json.loads(kept.once(lambda: _simulated(simulator, sent), simulator, packages, sent))
    if told["faults"]:
        raise ToolError(f"Policies are not valid. Correct them: {json.dumps(told['faults'])}")
    for question, answer in zip(numbers, told["answers"], strict=True):
        if "error" in answer:
            raise ToolError(f"The simulator can't answer a question: {answer['error']}. Correct the row: {question}")
    answers = [_answer(each) for each in told["answers"]]
    return [answers[numbers[text]] for text in texts]


def _simulated(simulator: str, sent: object) -> str:
    command = ["node", "--input-type=module", "-e", simulator]
    done = lifeline.run(command, cwd=npm.INSTALLED, input=json.dumps(sent), capture_output=True, timeout=SECONDS)
    if done.returncode != 0:
        raise ToolError(
            f"The simulator of IAM failed: {done.stderr.strip()}. Delete .local/node and try again: npm reinstalls it"
        )
    return done.stdout


def _answer(told: Mapping[str, object]) -> Answer:
    def statements(key: str) -> tuple[Statement, ...]:
        listed = told[key]
        assert isinstance(listed, list)
        return tuple(Statement(**each) for each in listed)

    blocked_by = told["blocked_by"]
    assert isinstance(blocked_by, list)
    return Answer(bool(told["allowed"]), statements("allowing"), statements("denying"), tuple(blocked_by))
