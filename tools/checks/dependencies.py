"""`make dependencies`: find crosstalk between the environments, from the files of infra/ alone.

Crosstalk is an instance of an external system that two environments use, and at least one of them writes. The check
fails if one of the two bindings is exclusive. Terraform reads the files, with a mocked provider. So expressions and
variables count, and no AWS account is needed.
"""

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tools.checkout import ENVIRONMENTS, ToolError
from tools.checks.policy import plans
from tools.slipway_client.runner import say, warn

# The bindings of an environment, by the key of the dependency.
Bindings = Mapping[str, Mapping[str, Any]]


class Crosstalk(NamedTuple):
    """An instance that two environments use. `refused` is true if one of the two bindings is exclusive."""

    instance: str
    uses: tuple[str, str]
    refused: bool

    def __str__(self) -> str:
        return f"{' and '.join(self.uses)} use {self.instance}"


def main(environ: Mapping[str, str]) -> None:
    """Print the bindings of all environments and warn of crosstalk, or raise ToolError if crosstalk is refused."""
    with tempfile.TemporaryDirectory(prefix="dependencies-") as copies, ThreadPoolExecutor() as pool:
        found = dict(zip(ENVIRONMENTS, pool.map(lambda each: declared(Path(copies), each), ENVIRONMENTS), strict=True))
    report(found, environ)


def report(found: Mapping[str, Bindings], environ: Mapping[str, str]) -> None:
    """Print bindings by environment and warn of crosstalk, or raise ToolError if crosstalk is refused."""
    for environment, bindings in found.items():
        for key, each in bindings.items():
            exclusive = ", exclusive" if each["exclusive"] else ""
            say(f"{environment:14} {key:20} {each['access']}{exclusive}: {each['instance']}")
    every = list(crosstalk(found))
    for shared in every:
        if not shared.refused:
            warn(environ, f"Crosstalk: {shared}")
    if refused := [str(shared) for shared in every if shared.refused]:
        listed = "\n".join(f"  {line}" for line in refused)
        raise ToolError(
            f"Crosstalk that is refused, because one of the two bindings is exclusive:\n{listed}\n"
            "Give each environment an instance of its own (docs/dependencies.md)"
        )
    if not every:
        say("No crosstalk: no environment writes to an instance that another one uses")


def crosstalk(found: Mapping[str, Bindings]) -> Iterator[Crosstalk]:
    """Yield each pair of bindings of two environments to one instance, if at least one of them writes."""
    uses = [(environment, key, each) for environment, bindings in found.items() for key, each in bindings.items()]
    for one, other in itertools.combinations(uses, 2):
        both = one[2], other[2]
        if (
            one[0] != other[0]
            and one[2]["instance"] == other[2]["instance"]
            and any(each["access"] == "read_write" for each in both)
        ):
            shown = tuple(f"{environment} ({key}, {each['access']})" for environment, key, each in (one, other))
            yield Crosstalk(one[2]["instance"], (shown[0], shown[1]), any(each["exclusive"] for each in both))


def declared(copies: Path, environment: str) -> Bindings:
    """Return the bindings that the files of an environment declare, or raise ToolError. Work in copies of infra/."""
    planned = plans.plan(plans.copied(copies, environment, environment), plans.Run(environment))
    return bindings_of(planned, f"infra/{environment}")


def bindings_of(plan: Any, source: str) -> Bindings:
    """Return the bindings in the output `dependencies` of a plan, or raise ToolError if they are not in the plan."""
    try:
        after: dict[str, Any] = plan["output_changes"]["dependencies"]["after"]
        is_known = all(isinstance(each["instance"], str) for each in after.values())
    except (LookupError, TypeError, AttributeError):
        is_known = False
    if not is_known:
        raise ToolError(
            f"{source} has no output `dependencies` that is known before an apply: write the instances as text, and "
            "keep the output in outputs.tf"
        )
    return after
