"""`make policy`: check the plans with terraform-compliance, and require that each scenario catches its mutants.

- `make policy`: check the plans of all environments, three workspaces and the accounts, then the mutants;
- `make policy ENV=production`: check only the plans of this environment.
"""

import copy
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib import NAME
from tools import lifeline
from tools.checkout import ENVIRONMENTS, ROOT, ToolError
from tools.checks import kept
from tools.checks.policy import compliance, facts, plans, sources
from tools.checks.policy.changes import Mutant
from tools.checks.policy.mutants import MUTANTS
from tools.checks.policy.sources import SOURCE_MUTANTS, SourceMutant

FEATURES = ROOT / "infra" / "policy"

_MUTANTS = "tools/checks/policy/mutants.py"
_SOURCES = "tools/checks/policy/sources.py"
# The end of the boundary's name, by the start of the workspace's name.
_BOUNDARIES = {"default": "", "w": "-workspaces", "d": "-debug"}


@dataclass(frozen=True)
class Subject:
    """A plan to check, and the names that the scenarios use for it."""

    name: str
    environment: str
    workspace: str
    lacks: tuple[str, ...]
    resources: list[facts.Resource]


@dataclass(frozen=True)
class Verdict:
    """The result of terraform-compliance for a plan."""

    exit_code: int
    printed: str

    @property
    def holding(self) -> int | None:
        """The number of scenarios if all hold, otherwise None. A skipped scenario does not hold."""
        found = re.search(r"^(\d+) scenarios? \(\1 passed\)$", self.printed, re.MULTILINE)
        return int(found[1]) if found and self.exit_code == 0 else None

    @property
    def violated(self) -> bool:
        """True if a scenario failed. False if no scenario failed, or if terraform-compliance itself failed."""
        return self.exit_code == 1 and re.search(r"^\t\tFailure: ", self.printed, re.MULTILINE) is not None

    def failures(self, scenario: str) -> str:
        """Return the messages with which a scenario failed."""
        _, _, rest = self.printed.partition(f"    Scenario: {scenario}\n")
        return "".join(re.findall(r"^\t\tFailure: (.+\n)", rest.partition("    Scenario: ")[0], re.MULTILINE))

    @property
    def faults(self) -> str:
        """The scenarios that do not hold, with messages, or the whole output if it names no scenario."""
        faulty = re.compile(r"^(\t\t| {10})\w+: |^\t\* SKIPPING", re.MULTILINE)
        return "\n\n".join(each for each in self.printed.split("\n\n") if faulty.search(each)) or self.printed


def main(environ: Mapping[str, str]) -> int:
    """Check the plans of ENV. Without ENV, check all plans and then the mutants. Return 1 if something is wrong."""
    runs = [run for run in plans.RUNS if environ["ENV"] in ("", run.environment)]
    with tempfile.TemporaryDirectory(prefix="policy-") as copies, _pool() as pool:
        planned = pool.map(lambda run: plan(Path(copies), run), runs)
        subjects = {run.name: subject(run, each) for run, each in zip(runs, planned, strict=True)}
        wrong = list(check(subjects))
        if not environ["ENV"]:
            wrong += prove(subjects)
            wrong += prove_sources(Path(copies))
    for each in wrong:
        print(f"\n{each}", file=sys.stderr)
    return 1 if wrong else 0


def plan(copies: Path, run: plans.Run) -> plans.Plan:
    """Return the plan of a run of Terraform's tests, in copies of infra/, or raise ToolError."""
    return plans.plan(plans.copied(copies, run.environment, run.environment), run)


def subject(run: plans.Run, plan: plans.Plan) -> Subject:
    """Return a run's plan as a subject for the scenarios."""
    if run.variables:
        # Scenarios about tags and other environments' names are not for accounts.
        return Subject(f"{NAME}-account", "account", run.workspace, run.lacks, facts.resources(plan, {}))
    outputs = {name: output["after"] for name, output in plan["output_changes"].items()}
    main_tf = (ROOT / "infra" / run.environment / "main.tf").read_text()
    tags = facts.default_tags(main_tf, run.workspace, outputs["made_with"]["owner"])
    resources = facts.resources(plan, tags)
    return Subject(outputs["main"]["name"], run.environment, run.workspace, run.lacks, resources)


def check(subjects: Mapping[str, Subject], features: Path = FEATURES) -> Iterator[str]:
    """Check plans. Print a line for each plan without a fault, and yield the faults of the other plans."""
    _scenarios(features)
    texts = {path.name: path.read_text() for path in features.glob("*.feature")}
    with _pool() as pool:
        verdicts = pool.map(lambda subject: judge(subject, texts), subjects.values())
        for name, verdict in zip(subjects, verdicts, strict=True):
            if verdict.holding:
                print(f"{name:22} {verdict.holding:3} policies hold")
            else:
                yield f"{name} violates policies: fix the infrastructure, or a policy that is wrong.\n{verdict.faults}"


def prove(
    subjects: Mapping[str, Subject],
    features: Path = FEATURES,
    mutants: Mapping[str, Sequence[Mutant]] = MUTANTS,
) -> Iterator[str]:
    """Check that each scenario catches its mutants. Print a summary, and yield what is wrong."""
    scenarios = _scenarios(features)
    for name in scenarios.keys() - mutants.keys() - SOURCE_MUTANTS.keys():
        yield f"{name!r} has no mutant, so nothing shows that it finds violations: add one to {_MUTANTS} or {_SOURCES}"
    for name in mutants.keys() - scenarios.keys():
        yield f"{name!r} has mutants, but no feature has this scenario: correct the name in {_MUTANTS}"
    pairs = [(name, mutant) for name in scenarios for mutant in mutants.get(name, ())]

    def is_caught(pair: tuple[str, Mutant]) -> bool:
        name, mutant = pair
        violating = copy.deepcopy(subjects[mutant.plan])
        mutant.change(violating.resources)
        return judge(violating, {"mutants.feature": _feature_of(scenarios[name])}).violated

    with _pool() as pool:
        caught = list(pool.map(is_caught, pairs))
    print(f"{sum(caught)} of {len(pairs)} mutants of {len({name for name, _ in pairs})} policies are caught")
    for (name, mutant), was_caught in zip(pairs, caught, strict=True):
        if not was_caught:
            yield f"{name!r} does not catch a mutant of {mutant.plan} ({mutant.what}): make the scenario stricter"


def prove_sources(
    copies: Path,
    features: Path = FEATURES,
    mutants: Mapping[str, Sequence[SourceMutant]] = SOURCE_MUTANTS,
) -> Iterator[str]:
    """Check that each scenario catches its mutants of the sources. Print a summary, and yield what is wrong."""
    scenarios = _scenarios(features)
    for name in mutants.keys() - scenarios.keys():
        yield f"{name!r} has mutants, but no feature has this scenario: correct the name in {_SOURCES}"
    pairs = [(name, mutant) for name in scenarios for mutant in mutants.get(name, ())]
    batches = sorted({(mutant.plan, mutant.batch) for _, mutant in pairs})

    def verdict(of: tuple[str, int]) -> Verdict:
        run = next(run for run in plans.RUNS if run.name == of[0])
        together = [mutant for _, mutant in pairs if (mutant.plan, mutant.batch) == of]
        violating = subject(run, sources.mutated(copies, run, of[1], together))
        return judge(violating, {"mutants.feature": _feature_of(*scenarios.values())})

    with _pool() as pool:
        verdicts = dict(zip(batches, pool.map(verdict, batches), strict=True))
    missed = [
        (name, mutant, culprit)
        for name, mutant in pairs
        for culprit in mutant.culprits
        if culprit not in verdicts[mutant.plan, mutant.batch].failures(name)
    ]
    print(f"{len(pairs) - len({each[:2] for each in missed})} of {len(pairs)} mutants of the sources are caught")
    for name, mutant, culprit in missed:
        yield (
            f"{name!r} does not name {culprit!r} in a plan of mutated sources ({mutant.plan}: {mutant.what}): "
            "make the scenario stricter, or correct the mutant"
        )


def judge(subject: Subject, features: Mapping[str, str]) -> Verdict:
    """Return the verdict on a plan. `features` maps file names to texts.

    Skip scenarios about resources that the plan lacks.
    """
    plan = facts.readable(subject.resources)
    texts = {name: _filled_in(text, subject) for name, text in features.items()}

    def printed() -> str:
        verdict = _verdict(plan, texts, subject.lacks)
        return json.dumps([verdict.exit_code, verdict.printed])

    def is_final(printed: str) -> bool:
        verdict = Verdict(*json.loads(printed))
        return verdict.holding is not None or verdict.violated

    locked = (ROOT / "requirements-dev.txt").read_text()
    return Verdict(*json.loads(kept.once(printed, plan, texts, subject.lacks, locked, final=is_final)))


def _verdict(plan: object, features: Mapping[str, str], lacks: Sequence[str]) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="policy-") as temporary:
        folder = Path(temporary)
        (folder / "plan.json").write_text(json.dumps(plan))
        (folder / "features").mkdir()
        for name, text in features.items():
            (folder / "features" / name).write_text(text)
        without = [f"--tags={' and '.join(f'not {tag}' for tag in lacks)}"] if lacks else []
        arguments = ["-f", str(folder / "features"), "-p", str(folder / "plan.json"), "--no-ansi", *without]
        return Verdict(*compliance.run(arguments, folder))


def _filled_in(text: str, subject: Subject) -> str:
    text = text.replace("${system}", NAME).replace("${environments}", f"({'|'.join(ENVIRONMENTS)})")
    for name in ("name", "environment", "workspace"):
        text = text.replace(f"${{{name}}}", getattr(subject, name))
    return text.replace("${kind}", _BOUNDARIES[subject.workspace.partition("-")[0]])


def _feature_of(*scenarios: str) -> str:
    return "\n\n".join(["Feature: Mutants", *scenarios])


def _scenarios(features: Path) -> dict[str, str]:
    """Return the text of each scenario by name, with its tags. Raise ToolError, for example if a tag is missing."""
    found: dict[str, str] = {}
    for path in sorted(features.glob("*.feature")):
        for text in path.read_text().split("\n\n")[1:]:
            names = re.findall(r"^  Scenario: (.+)$", text, re.MULTILINE)
            if len(names) != 1:
                raise ToolError(
                    f"{path.name} does not separate its scenarios ({names}): put one empty line before each scenario, "
                    "and no empty line inside a scenario"
                )
            if names[0] in found:
                raise ToolError(
                    f"Two scenarios are called {names[0]!r}: rename one, because mutants.py lists mutants by name"
                )
            if not re.search(r"^  .*@noskip\b", text, re.MULTILINE):
                raise ToolError(
                    f"The scenario {names[0]!r} passes if it finds no resource: tag the scenario with @noskip"
                )
            found[names[0]] = text
    return found


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield pool
        except BaseException:
            lifeline.interrupt()  # Ctrl-C reaches only the main thread
            raise
