"""terraform-compliance over many plans at once: `python -m tools.checks.compliance`, jobs in, outcomes out, both JSON.

The tool takes one plan a process, and most of its time is for starting. So it is loaded once, and every job runs in a
fork of that. A process of its own, since the tool prints, patches and keeps state where it likes.
"""

import json
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.checkout import ROOT, ToolError

PASSED, FAILED, SKIPPED, BROKEN = "passed", "failed", "skipped", "broken"

_SECONDS = 300


@dataclass(frozen=True)
class Job:
    """A plan, as readable.py makes it, the features to hold it against, and the tags of scenarios to leave out."""

    plan: str
    features: list[str]
    without: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a scenario said of a plan. Broken: the tool failed, not the plan."""

    scenario: str
    outcome: str
    said: list[str]


def run(jobs: Sequence[Job]) -> list[list[Outcome]]:
    """Outcomes of all scenarios of each job. Raises ToolError where a feature can't be read."""
    if not jobs:
        return []
    done = lifeline.run(
        [sys.executable, "-m", "tools.checks.compliance"],
        cwd=ROOT,
        input=json.dumps([asdict(job) for job in jobs]),
        capture_output=True,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise ToolError(f"terraform-compliance did not run:\n{done.stderr[-4000:]}")
    outcomes = [[Outcome(**each) for each in answers] for answers in json.loads(done.stdout)]
    for job, answers in zip(jobs, outcomes, strict=True):
        if not answers:
            raise ToolError(
                f"{', '.join(job.features)}: terraform-compliance ran no scenario of it; is it well-formed?"
            )
    return outcomes


def _one(job: dict[str, Any], usage: str = "") -> list[dict[str, Any]]:
    """In a process of its own: what the tool keeps is the tool's of one run."""
    from radish import after  # noqa: PLC0415
    from terraform_compliance.common import error_handling  # noqa: PLC0415

    said: list[str] = []
    outcomes = []
    # Of several messages of a step the tool remembers one, and prints all.
    error_handling.console_write = said.append

    def note(scenario: Any) -> None:
        states = {step.state for step in scenario.all_steps}
        messages = [re.sub(r"^\s*(Failure)?:?\s*", "", message) for message in said]
        crashes = [step.failure.traceback for step in scenario.all_steps if step.failure and not messages]
        outcome = BROKEN if crashes else FAILED if FAILED in states else PASSED if states == {PASSED} else SKIPPED
        outcomes.append(asdict(Outcome(scenario.sentence, outcome, list(dict.fromkeys(messages + crashes)))))
        said.clear()

    after.each_scenario(note)
    with tempfile.TemporaryDirectory(prefix="slipway-policy-") as folder:
        _command_line(job, Path(folder), _reading(json.loads(usage)))
    return outcomes


def _usage(job: dict[str, Any]) -> str:
    """What the tool's command line comes to. To parse it takes the tool longer than everything else, for each job."""
    from docopt import docopt  # noqa: PLC0415

    parsed: dict[str, Any] = {}

    def parse(*given: Any, **named: Any) -> dict[str, Any]:
        parsed.update(docopt(*given, **named))
        raise SystemExit

    with tempfile.TemporaryDirectory(prefix="slipway-policy-") as folder:
        _command_line(job, Path(folder), parse)
    return json.dumps(parsed)


def _reading(parsed: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    def parse(usage: str, argv: list[str], version: str) -> dict[str, Any]:
        named = [argument.split("=", 1) for argument in argv if argument.startswith("--") and "=" in argument]
        return {
            **parsed,
            "<features>": argv[1:2],
            "--user-data": [value for name, value in named if name == "--user-data"],
            "--tags": dict(named).get("--tags"),
        }

    return parse


def _command_line(job: dict[str, Any], folder: Path, parse: Callable[..., dict[str, Any]]) -> None:
    from radish import main as radish  # noqa: PLC0415
    from terraform_compliance.common.defaults import Defaults  # noqa: PLC0415
    from terraform_compliance.main import cli  # noqa: PLC0415

    radish.docopt = parse
    Defaults.cache_dir = str(folder)
    features = folder / "features"
    features.mkdir()
    for path in job["features"]:
        (features / Path(path).name).symlink_to(path)
    sys.argv = ["terraform-compliance", "-f", str(features), "-p", job["plan"], "--no-ansi"]
    if job["without"]:
        sys.argv.append("--tags=" + " and ".join(f"not {tag}" for tag in job["without"]))
    with suppress(SystemExit), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        cli()


def main() -> None:
    jobs = json.load(sys.stdin)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        import IPython  # noqa: F401, PLC0415  (the tool's steps import it, and take a second for it)
        from terraform_compliance.common.defaults import Defaults  # noqa: PLC0415
        from terraform_compliance.main import cli  # noqa: F401, PLC0415
    Path(Defaults.cache_dir).rmdir()
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        usage = pool.apply(_usage, jobs[:1])
        json.dump(pool.starmap(_one, [(job, usage) for job in jobs], chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
