"""`make policy`: holds plans against infra/policy/*.feature, and the features against plans that they must refuse.

- `make policy`: the plans of all environments and of a debug workspace of production, then the mutants;
- `make policy ENV=production`: the plan of that environment alone;
- `make policy PLAN=plan.json`: a plan that is there already, as `terraform show -json` prints it.
"""

import copy
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.checkout import ROOT, ToolError
from tools.checks.compliance import BROKEN, FAILED, PASSED, SKIPPED, Job, Outcome, run
from tools.checks.mutants import MUTANTS, Mutant
from tools.checks.policy_plans import ALL, ENVIRONMENTS, Planned, given, plans
from tools.checks.readable import Target, readable

FEATURES = ROOT / "infra" / "policy"

_MUTANTS = "tools/checks/mutants.py"

_WHY = {
    SKIPPED: "it found nothing to judge, so it lets anything pass: give it @noskip, and the tag of what it is about",
    BROKEN: "terraform-compliance failed in it",
}
_HOW = {PASSED: "passed", SKIPPED: "was skipped", BROKEN: "broke"}


@dataclass
class Verdict:
    """What a run found: a line for each plan, and what is wrong, each with what mends it."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def check(planned: Mapping[str, Planned], features: Path = FEATURES) -> Verdict:
    """Hold plans against the policies: every scenario that is about a plan has something in it to judge, and passes."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="slipway-policies-") as folder:
        jobs = [_job(each, Path(folder) / name, features) for name, each in planned.items()]
        for name, outcomes in zip(planned, run(jobs), strict=True):
            passed = sum(outcome.outcome == PASSED for outcome in outcomes)
            verdict.lines.append(f"{name:24} {passed:3} of {len(outcomes):3} policies hold")
            verdict.wrong += [_told(name, outcome, features) for outcome in outcomes if outcome.outcome != PASSED]
    return verdict


def prove(planned: Mapping[str, Planned], features: Path = FEATURES, mutants: Sequence[Mutant] = MUTANTS) -> Verdict:
    """Hold the policies against the mutants: every scenario has one, and each is caught by its scenario."""
    scenarios = _scenarios(features)
    verdict = Verdict()
    for scenario in sorted(scenarios.keys() - {mutant.scenario for mutant in mutants}):
        verdict.wrong.append(f"No mutant violates {scenario!r}, so nobody knows what it catches: add one to {_MUTANTS}")
    for mutant in mutants:
        if mutant.scenario not in scenarios:
            verdict.wrong.append(
                f"No feature has the scenario {mutant.scenario!r} of a mutant: mend its name in {_MUTANTS}"
            )
    to_run = [mutant for mutant in mutants if mutant.scenario in scenarios]
    survivors = _survivors(planned, features, to_run)
    verdict.wrong += survivors
    caught = len(to_run) - len(survivors)
    verdict.lines.append(f"{'mutants':24} {caught:3} of {len(to_run):3} are caught, by {len(scenarios)} policies")
    return verdict


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run what the variables ask for, and say what was found."""
    with tempfile.TemporaryDirectory(prefix="slipway-plans-") as folder:
        verdict = _asked(environ, Path(folder))
    print("\n".join(verdict.lines))
    for each in verdict.wrong:
        print(f"\n{each}", file=sys.stderr)
    return 1 if verdict.wrong else 0


def _asked(environ: Mapping[str, str], folder: Path) -> Verdict:
    if path := environ.get("PLAN"):
        try:
            planned = given(json.loads(Path(path).read_text()), folder)
        except (OSError, ValueError) as error:
            raise ToolError(f"PLAN={path}: {error}. It is what `terraform show -json` prints of a saved plan") from None
        return check({planned.target.name: planned})
    environment = environ.get("ENV")
    if environment and environment not in ENVIRONMENTS:
        raise ToolError(f"There is no environment {environment!r}: ENV={'|'.join(ENVIRONMENTS)}")
    planned_all = plans([each for each in ALL if environment in (None, "", each.environment)], folder)
    checked = check(planned_all)
    if environment:
        return checked
    proven = prove(planned_all)
    return Verdict(checked.lines + proven.lines, checked.wrong + proven.wrong)


def _survivors(planned: Mapping[str, Planned], features: Path, mutants: Sequence[Mutant]) -> list[str]:
    """Each mutant that its scenario lets through, in words."""
    scenarios = _scenarios(features)
    survivors = []
    with tempfile.TemporaryDirectory(prefix="slipway-mutants-") as folder:
        jobs = [
            _job(
                _mutated(planned[mutant.plan], mutant), Path(folder) / str(number), features, scenarios[mutant.scenario]
            )
            for number, mutant in enumerate(mutants)
        ]
        for mutant, outcomes in zip(mutants, run(jobs), strict=True):
            outcome = next((each for each in outcomes if each.scenario == mutant.scenario), None)
            if outcome is None or outcome.outcome != FAILED:
                how = f"it {_HOW[outcome.outcome]}" if outcome else "it is not about that plan"
                survivors.append(
                    f"{mutant.scenario} ({scenarios[mutant.scenario].name}) lets a violation of {mutant.plan} through "
                    f"({how}): {mutant.what}. Sharpen the scenario, or mend the mutant"
                )
    return survivors


def _job(planned: Planned, folder: Path, features: Path, only: Path | None = None) -> Job:
    folder.mkdir()
    plan = folder / "plan.json"
    plan.write_text(json.dumps(readable(planned.resources)))
    written = []
    for path in [only] if only else sorted(features.glob("*.feature")):
        written.append(folder / path.name)
        written[-1].write_text(_filled_in(path.read_text(), planned.target))
    return Job(str(plan), [str(path) for path in written], planned.target.without)


def _filled_in(feature: str, target: Target) -> str:
    for name in ("name", "environment", "workspace"):
        feature = feature.replace(f"${{{name}}}", getattr(target, name))
    return feature


def _mutated(planned: Planned, mutant: Mutant) -> Planned:
    resources = copy.deepcopy(planned.resources)
    mutant.change(resources)
    return Planned(planned.target, resources)


def _scenarios(features: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(features.glob("*.feature")):
        for name in re.findall(r"^\s*Scenario:\s*(.*?)\s*$", path.read_text(), re.MULTILINE):
            if name in found:
                raise ToolError(f"Two scenarios are called {name!r}: a mutant could not tell them apart")
            found[name] = path
    return found


def _told(plan: str, outcome: Outcome, features: Path) -> str:
    where = _scenarios(features)[outcome.scenario].name
    why = _WHY.get(outcome.outcome, "the plan violates it; mend the infrastructure, or the policy if it is wrong")
    return "\n".join([f"{plan}: {outcome.scenario} ({where}): {why}", *(f"    {line}" for line in outcome.said)])
