"""The table of questions: what a principal does, where it may do this, and where it must not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tools.checkout import ToolError
from tools.checks.walls import reference
from tools.checks.walls.evaluator import Answer, Question
from tools.checks.walls.places import STRANGER, Place, Places, Target
from tools.checks.walls.principals import ADDED, AnyPrincipal, Principal
from tools.checks.walls.rendered import Policy, Rendered

Context = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Wall:
    """A row of the table. Each action must be allowed on each place of `on`, and on no place of `not_on`.

    The requests have the context `when`. In a context of `not_when`, and for the principals of `not_by`, nothing may be
    allowed on the places of `on`. A row without `on` is about requests that must always fail: they are asked in `when`.
    """

    who: AnyPrincipal
    does: str
    actions: tuple[str, ...]
    on: tuple[Place, ...] = ()
    not_on: tuple[Place, ...] = ()
    when: Context = field(default_factory=dict, hash=False)
    not_when: tuple[Context, ...] = field(default=(), hash=False)
    not_by: tuple[AnyPrincipal, ...] = ()

    @property
    def has_twin(self) -> bool:
        """True if a request that differs in one thing must fail."""
        return bool(self.not_on or self.not_when or self.not_by)


@dataclass(frozen=True)
class Asked:
    """A question of a row, with the answer that the row expects."""

    wall: Wall
    who: Principal
    question: Question
    expected: bool
    place: Place
    # The context of the request besides facts of the place and the principal.
    when: Context = field(default_factory=dict, hash=False)

    @property
    def where(self) -> str:
        """The resource, its target if the ARN does not name it, and how the request differs from the row's."""
        of = self.place.of
        words = [self.question.resource]
        if of and not self.place.facts:
            words.append("without tags")
        elif of and of.name not in self.place.resource:
            words.append(f"of {of.name}")
        for key in dict.fromkeys((*self.wall.when, *self.when)):
            if key not in self.when:
                words.append(f"without {key}")
            elif self.when[key] != self.wall.when.get(key):
                words.append(f"with {key} {self.when[key]}")
        if self.who.name != self.wall.who.name:
            words.append(f"by {self.who.name}")
        return " ".join(words)

    def __str__(self) -> str:
        when = f" with {self.when}" if self.when else ""
        return f"{self.who.name} {self.wall.does}: {self.question.action} on {self.where}{when}"


@dataclass(frozen=True)
class Verdict:
    """A question with its answer."""

    asked: Asked
    answer: Answer

    @property
    def holds(self) -> bool:
        """True if the answer is as expected."""
        return self.answer.allowed == self.asked.expected


def acts(service: str, names: str) -> tuple[str, ...]:
    """Return actions of a service. `names` are separated by spaces."""
    return tuple(f"{service}:{name}" for name in names.split())


def wall(
    who: AnyPrincipal,
    does: str,
    actions: Sequence[str],
    place: Places,
    of: Sequence[Target] = (),
    not_of: Sequence[Target] = (),
    when: Context | None = None,
    not_when: Sequence[Context] = (),
) -> Wall:
    """Return a row about the same kind of place of several targets."""
    on, not_on = (tuple(map(place, targets)) for targets in (of, not_of))
    return Wall(who, does, tuple(actions), on, not_on, when or {}, tuple(not_when))


def asked(walls: Sequence[Wall], rendered: Rendered) -> list[Asked]:
    """Return all questions of rows. Raise ToolError if AWS can't get such a request."""
    return [each for row in walls for each in _asked(row, rendered)]


def policies(rendered: Rendered) -> dict[str, Policy]:
    """Return the policies that questions can name."""
    accounts = {STRANGER, *(role.account_id for role in rendered.roles.values())}
    return {**rendered.policies, **ADDED, **{_key_policy(each): _delegating(each) for each in accounts}}


def _asked(row: Wall, rendered: Rendered) -> Iterator[Asked]:
    who = row.who.seen(rendered)

    def ask(action: str, place: Place, when: Context = row.when, by: Principal = who, *, expected: bool) -> Asked:
        return Asked(row, by, _question(row, by, action, place, when, rendered), expected, place, when)

    for action in row.actions:
        for place in row.on:
            yield ask(action, place, expected=True)
            yield from (ask(action, place, when, expected=False) for when in row.not_when)
            yield from (ask(action, place, by=other.seen(rendered), expected=False) for other in row.not_by)
        yield from (ask(action, place, expected=False) for place in row.not_on)


def _question(row: Wall, who: Principal, action: str, place: Place, when: Context, rendered: Rendered) -> Question:
    known = reference.action(action)
    if known is None:
        raise ToolError(f"AWS has no action {action}: correct the row {row.does!r} of {who.name}")
    resource = _resource(known, place)
    if resource != "*" and not known.types_of(resource):
        raise ToolError(f"{action} does not act on {resource}: correct the row {row.does!r} of {who.name}")
    stated = {**who.context, **when}
    # AWS sets these keys for every request.
    always: dict[str, str | list[str]] = {"aws:SecureTransport": "true"}
    if who.arn and who.arn.startswith("arn:aws:iam:"):
        always |= {"aws:PrincipalArn": who.arn, "aws:PrincipalAccount": who.arn.split(":")[4]}
    for key in stated:
        if not known.supports(key, resource):
            raise ToolError(f"{action} on {resource} has no {key}: correct the row {row.does!r} of {who.name}")
    facts = {key: value for key, value in place.facts.items() if known.supports(key, resource)}
    return Question(
        principal=who.arn,
        action=known.name,
        resource=resource,
        account=place.account,
        context={**always, **facts, **stated},
        identity=who.identity,
        boundary=who.boundary,
        resourcePolicy=policy_of(known.name, place.resource, place.account, rendered),
    )


def _resource(action: reference.Action, place: Place) -> str:
    if not action.types or place.resource != "*":
        return place.resource if action.types else "*"
    # AWS asks about all resources of a type by an ARN that ends in a literal star.
    assert place.of
    given = {1: "aws", 3: place.of.region, 4: place.account}
    parts = enumerate(action.types[0].arns[0].split(":", 5))
    return ":".join(given.get(index, part) if part == "*" else part for index, part in parts)


def policy_of(action: str, resource: str, account: str, rendered: Rendered) -> str | None:
    """Return the id of the policy of the resource itself, or None if it has none."""
    service = action.partition(":")[0]
    if service == "sts":
        return rendered.role(resource).trust
    if service == "kms" and ":key/" in resource:
        # Targets that no plan has get the main statement of every key: IAM policies of the account decide.
        return rendered.resources.get(resource, _key_policy(account))
    if service == "s3":
        return rendered.resources.get(resource.partition("/")[0])
    if service == "lambda":
        # The policy of a function has the statements about its aliases and versions.
        return rendered.resources.get(":".join(resource.split(":")[:7]))
    return rendered.resources.get(resource)


def _key_policy(account: str) -> str:
    return f"policy of other keys of {account}"


def _delegating(account: str) -> Policy:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return Policy("resource", {"Version": "2012-10-17", "Statement": [statement]})


def naming(question: Question, policy: str) -> bool:
    """True if the policy takes part in the answer."""
    return policy in (*question.identity, question.boundary, question.resourcePolicy)


def instead(question: Question, policy: str, other: str) -> Question:
    """Return the question with another policy in the place of `policy`."""
    return replace(
        question,
        identity=tuple(other if each == policy else each for each in question.identity),
        boundary=other if question.boundary == policy else question.boundary,
        resourcePolicy=other if question.resourcePolicy == policy else question.resourcePolicy,
    )
