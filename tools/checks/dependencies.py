"""`make dependencies`: find crosstalk between the environments, from the files of infra/ alone.

Crosstalk is an instance of an external system that two environments use, and at least one of them writes. The check
fails if one of their bindings to it is exclusive. Terraform reads the files, with a mocked provider. So expressions and
variables count, and no AWS account is needed.
"""

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tools.checkout import ENVIRONMENTS, ROOT, ToolError
from tools.checks.policy import plans
from tools.slipway_client.runner import say, warn

# The bindings of an environment, by the key of the dependency.
Bindings = Mapping[str, Mapping[str, Any]]


class Crosstalk(NamedTuple):
    """An instance that two environments use. `refused` is true if one of their bindings to it is exclusive."""

    instance: str
    uses: tuple[str, str]
    refused: bool

    def __str__(self) -> str:
        return f"{' and '.join(self.uses)} use {self.instance}"


def main(environ: Mapping[str, str]) -> None:
    """Print the bindings of all environments and warn of crosstalk, or raise ToolError if crosstalk is refused."""
    with tempfile.TemporaryDirectory(prefix="dependencies-") as copies, ThreadPoolExecutor() as pool:
        names = environments(ROOT / "infra")
        found = dict(zip(names, pool.map(lambda each: declared(Path(copies), each), names), strict=True))
    report(found, environ)


def environments(infra: Path) -> list[str]:
    """Return the names of the folders that call the module of an environment, in the order of promotion."""
    found = [main.parent.name for main in infra.glob("*/main.tf") if "modules/infrastructure-main" in main.read_text()]
    return sorted(found, key=lambda name: (*ENVIRONMENTS, name).index(name))


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
            f"Crosstalk that is refused, because one of the bindings is exclusive:\n{listed}\n"
            "Give each environment an instance of its own (docs/dependencies.md)"
        )
    if not every:
        say("No crosstalk: no environment writes to an instance that another one uses")


def crosstalk(found: Mapping[str, Bindings]) -> Iterator[Crosstalk]:
    """Yield each pair of environments with bindings to one instance, if at least one of the bindings writes."""
    uses: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = {}
    for environment, bindings in found.items():
        for key, each in bindings.items():
            uses.setdefault(each["instance"], {}).setdefault(environment, {})[key] = each
    for instance, sharing in uses.items():
        for pair in itertools.combinations(sharing.items(), 2):
            both = [each for _, bindings in pair for each in bindings.values()]
            if any(each["access"] == "read_write" for each in both):
                yield Crosstalk(instance, (_use(*pair[0]), _use(*pair[1])), any(each["exclusive"] for each in both))


def _use(environment: str, bindings: Bindings) -> str:
    listed = "; ".join(f"{key}, {each['access']}" for key, each in bindings.items())
    return f"{environment} ({listed})"


def declared(copies: Path, environment: str) -> Bindings:
    """Return the bindings that the files of an environment declare, or raise ToolError. Work in copies of infra/."""
    folder, run = plans.copied(copies, environment, environment), plans.Run(environment)
    if not (folder / run.file).exists():
        raise ToolError(f"infra/{environment} has no {run.file}: copy it from another environment")
    return bindings_of(plans.plan(folder, run), f"infra/{environment}")


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
