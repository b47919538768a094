"""A binding: the instance of a dependency that an environment uses."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault, problem_type
from chalicelib.rest.types import Answer, PageQuery, Request
from chalicelib.vocabulary import INSTANCE, SECOND_SPELLING, EnvironmentName, Slug

# An environment has at most this number of bindings. Answers name at most MOST_SHOWN bindings of an instance.
MOST_BINDINGS = 50
MOST_SHOWN = 100

DependencyKey = Annotated[Slug, Meta(examples=["orders"], description="Key of a dependency: an external system")]
_SPELLING = (
    "an encrypted URL with a host in lower case, and without user, query, fragment, default port or slash at its end. "
    "Name queues and buckets of AWS by their ARN"
)
# This pattern is short, because each cold start compiles it. `NewBindings.faults` checks the whole form.
Instance = Annotated[
    str,
    matching(
        "(arn:|[a-z][a-z0-9+.-]*://)[!-~]+",
        "arn:aws:sqs:eu-central-1:111122223333:orders",
        f"The instance, in its one spelling: an ARN, or {_SPELLING}",
        max_length=500,
    ),
]
Access = Annotated[
    Literal["read_only", "read_write"],
    Meta(examples=["read_write"], description="`read_write` if the environment changes something in the instance"),
]
Exclusive = Annotated[
    bool, Meta(description="True if no other environment may use the instance when one of them writes")
]
IsCrosstalk = Annotated[
    bool, Meta(description="True if several environments use the instance and at least one of them writes")
]


class Binding(Request, kw_only=True):
    dependency: DependencyKey
    instance: Instance
    access: Access
    exclusive: Exclusive = False


class NewBindings(Request, kw_only=True):
    """All bindings of the environment. Others are removed. With `dry_run`, nothing changes."""

    bindings: Annotated[tuple[Binding, ...], Meta(max_length=MOST_BINDINGS)]
    dry_run: bool = False

    def faults(self) -> Iterator[Fault]:
        seen = set()
        for index, each in enumerate(self.bindings):
            if each.dependency in seen:
                yield Fault(f"#/bindings/{index}/dependency", "is there twice: send each dependency once")
            seen.add(each.dependency)
            if not re.fullmatch(INSTANCE, each.instance) or re.search(SECOND_SPELLING, each.instance):
                yield Fault(
                    f"#/bindings/{index}/instance",
                    f"is not the one spelling of an instance: send an ARN, or {_SPELLING}",
                )


class InstanceUse(Answer, kw_only=True):
    """A binding to an instance. `system`, `environment` and `dependency` are null if you may not read the system."""

    system: Slug | None
    environment: EnvironmentName | None
    dependency: DependencyKey | None
    access: Access
    exclusive: Exclusive


class UsedInstance(Answer, kw_only=True):
    """An instance, with the bindings to it. `more_bindings` is true if there are others."""

    instance: Instance
    crosstalk: IsCrosstalk
    bindings: list[InstanceUse]
    more_bindings: bool


class Bindings(Answer, kw_only=True):
    """The bindings of an environment. `crosstalk` has the instances that the environment shares, if one writes."""

    system: Slug
    environment: EnvironmentName
    bindings: list[Binding]
    crosstalk: list[UsedInstance]


class CrosstalkQuery(PageQuery, kw_only=True):
    all: Annotated[bool, Meta(description="True to list the instances without crosstalk too")] = False


class OtherBinding(NamedTuple):
    """How another environment uses an instance, by all its bindings to it together.

    `system` and `environment` are None if the caller may not read the system.
    """

    instance: str
    access: str
    exclusive: bool
    system: str | None
    environment: str | None


crosstalk_refused = problem_type(
    "crosstalk-refused",
    409,
    "Crosstalk refused",
    "Two environments would use one instance, one of them writes, and one binding is exclusive: use another instance.",
)

constraint(
    "bindings_dependency_is_slug",
    problems.invalid,
    "A dependency's key is 2 to 39 lower-case letters, digits and hyphens, and starts with a letter: correct the key",
    "#/bindings",
)
constraint(
    "bindings_instance_known", problems.invalid, "An instance is an ARN or a URL: correct the instance", "#/bindings"
)
constraint(
    "bindings_access_known", problems.invalid, "The access is unknown: send `read_only` or `read_write`", "#/bindings"
)
