"""Weaken policies, to show that the table catches each kind of fault."""

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tools.checks.walls import reference
from tools.checks.walls.complete import undecided
from tools.checks.walls.evaluator import ask
from tools.checks.walls.reference import listed
from tools.checks.walls.rendered import Document, Policy
from tools.checks.walls.table import Asked, Verdict, instead, naming

KINDS = ("a wider name", "a condition less", "an action more", "a denial less")


@dataclass(frozen=True)
class Mutation:
    """A policy with one fault."""

    kind: str
    policy: str
    what: str
    mutated: Policy
    # The actions of the statement. The last one is new if the kind is "an action more".
    actions: tuple[str, ...]


def draw(policies: Mapping[str, Policy], seed: int, number: int) -> list[Mutation]:
    """Return mutations of all kinds, chosen by the seed."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    found: dict[str, list[Mutation]] = {kind: [] for kind in KINDS}
    for id_ in sorted(policies):
        for each in _mutations(id_, policies[id_], chance):
            found[each.kind].append(each)
    for of_kind in found.values():
        chance.shuffle(of_kind)
    drawn: list[Mutation] = []
    while len(drawn) < number and any(found.values()):
        drawn += [found[kind].pop() for kind in KINDS if found[kind]]
    return drawn[:number]


def survivors(policies: Mapping[str, Policy], asked: Sequence[Asked], mutations: Sequence[Mutation]) -> list[Mutation]:
    """Return the mutations that no row catches. Ask only the questions in which the mutated policy takes part.

    A boundary would hide faults of the policies that it limits. So ask about these policies without the boundary.
    """
    ids = [f"{each.policy} #{number}" for number, each in enumerate(mutations)]
    touched = [
        [_alone(each, mutation.policy) for each in asked if naming(each.question, mutation.policy)]
        for mutation in mutations
    ]
    pairs = [(id_, mutation, each) for id_, mutation, of in zip(ids, mutations, touched, strict=True) for each in of]
    mutated = {id_: each.mutated for id_, each in zip(ids, mutations, strict=True)}
    before = ask(policies, [each.question for _, _, each in pairs])
    after = ask(
        {**policies, **mutated}, [instead(each.question, mutation.policy, id_) for id_, mutation, each in pairs]
    )
    verdicts: dict[str, list[Verdict]] = {id_: [] for id_ in ids}
    caught = set()
    for (id_, _, each), old, new in zip(pairs, before, after, strict=True):
        verdicts[id_].append(Verdict(each, new))
        if old.allowed != new.allowed:
            caught.add(id_)
    return [
        mutation
        for id_, mutation in zip(ids, mutations, strict=True)
        if id_ not in caught and not _is_unasked(id_, mutation, verdicts[id_])
    ]


def _is_unasked(id_: str, mutation: Mutation, verdicts: Sequence[Verdict]) -> bool:
    """True if a new action is in no row: then the check for complete rows catches the mutation."""
    added = f" allows {mutation.actions[-1]},"
    return mutation.kind == "an action more" and any(
        added in each for each in undecided(id_, mutation.mutated, verdicts)
    )


def _alone(asked: Asked, policy: str) -> Asked:
    if policy not in asked.question.identity:
        return asked
    return replace(asked, question=replace(asked.question, boundary=None))


def _mutations(id_: str, policy: Policy, chance: random.Random) -> Iterator[Mutation]:
    taken = {action for each in listed(policy.document["Statement"]) for action in listed(each.get("Action", []))}
    for index, statement in enumerate(listed(policy.document["Statement"])):
        for kind, what, element in _weaker(statement, taken, chance):
            if policy.kind == "resource" and kind == "a wider name":
                continue  # the policy of a resource is about this resource, whatever it names
            document = copy.deepcopy(policy.document)
            document["Statement"] = listed(document["Statement"])
            if element is None:
                if len(document["Statement"]) == 1:
                    continue
                del document["Statement"][index]
            else:
                document["Statement"][index] = element
            name = statement.get("Sid", f"statement {index + 1}")
            actions = tuple(listed((element or statement).get("Action", "*")))
            yield Mutation(kind, id_, f"{name}: {what}", Policy(policy.kind, document, policy.managed), actions)


def _weaker(statement: Document, taken: set[str], chance: random.Random) -> Iterator[tuple[str, str, Document | None]]:
    if statement["Effect"] == "Deny":
        yield "a denial less", "without this statement", None
        return
    resources = listed(statement.get("Resource", []))
    for resource in resources:
        for wider in _wider(resource):
            others = [each for each in resources if each != resource]
            yield "a wider name", f"{resource} becomes {wider}", {**statement, "Resource": [*others, wider]}
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            left = {
                name: {k: v for k, v in each.items() if (name, k) != (operator, key)}
                for name, each in statement["Condition"].items()
            }
            condition = {name: each for name, each in left.items() if each}
            element = {name: value for name, value in statement.items() if name != "Condition"}
            yield (
                "a condition less",
                f"without {operator} {key}",
                {**element, **({"Condition": condition} if condition else {})},
            )
    services = sorted({action.partition(":")[0] for action in listed(statement.get("Action", [])) if ":" in action})
    if services and resources:
        new = [each for each in reference.actions_of(chance.choice(services)) if each not in taken]
        if new:
            added = chance.choice(sorted(new))
            yield "an action more", f"with {added}", {**statement, "Action": [*listed(statement["Action"]), added]}


def _wider(resource: str) -> Iterator[str]:
    """Yield patterns that also match the names of neighbours: cut the name at each hyphen but the first."""
    arn, separator, name = resource.rpartition("/") if "/" in resource.rpartition(":")[2] else resource.rpartition(":")
    parts = name.rstrip("*").rstrip("-").split("-")
    for length in range(1, len(parts)):
        yield f"{arn}{separator}{'-'.join(parts[:length])}-*"
