"""Run a workflow's job on this machine, with conditions, expressions, outputs and environment as on GitHub.

Syntax that this repository's workflows do not use fails.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.workflows import Yaml, action
from tools.lifeline import MARK

SECONDS = 120

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.*-]*)|(?P<operator>&&|\|\||==|!=|!|[(),]))", re.DOTALL
)
_OPERATORS = {"&&": " and ", "||": " or ", "!": " not "}
_STATUS = re.compile(r"\b(always|success|failure|cancelled)\(\)")


@dataclass
class Step:
    """The result of a step: the step's name, its `outcome` (skipped, success or failure), and its output."""

    name: str
    outcome: str
    said: str = ""


@dataclass
class Job:
    """A job that works in `folder`."""

    content: Yaml
    folder: Path
    # github, vars, inputs, needs and matrix
    context: dict[str, Any] = field(default_factory=dict)
    # The runner's variables.
    environ: dict[str, str] = field(default_factory=dict)
    env: Mapping[str, Any] = field(default_factory=dict)
    is_cancelled: Callable[[], bool] = lambda: False
    # The folder for the outputs of steps; None for `folder`.
    temporary: Path | None = None
    # Functions for actions by name, which get the inputs. Other actions do nothing, except `record` and `may-promote`.
    actions: Mapping[str, Callable[[dict[str, str]], None]] = field(default_factory=dict)
    # Variables that replace those of the steps.
    overrides: Mapping[str, str] = field(default_factory=dict)
    before_step: Callable[[str], None] = lambda name: None
    after_step: Callable[["Step"], None] = lambda step: None
    seconds: float = SECONDS
    status: str = "success"

    def run(self) -> list[Step]:
        """Run the steps; return their results.

        After a failed step, run only steps whose condition allows a failure, as `always()` does.
        """
        self.context["steps"] = {}
        self.context["job"] = {"status": "success"}
        self.context["env"] = {**self.env, **self.content.get("env", {})}
        return [self._run(number, step) for number, step in enumerate(self.content["steps"], 1)]

    def _run(self, number: int, step: Yaml) -> Step:
        name = step.get("name") or step.get("uses") or f"step {number}"
        outcome, said, outputs = "skipped", "", {}
        self.before_step(name)
        if self.holds(str(step.get("if", "success()"))):
            outcome, said, outputs = self._do(step)
        if outcome == "failure":
            self.status = "failure"
        self.context["job"] = {"status": "cancelled" if self.is_cancelled() else self.status}
        if "id" in step:
            self.context["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}
        done = Step(name, outcome, said)
        self.after_step(done)
        return done

    def _do(self, step: Yaml) -> tuple[str, str, dict[str, str]]:
        if "run" in step:
            return self._shell(step["run"], {**self.env, **self.content.get("env", {}), **step.get("env", {})})
        found = re.search(r"\.github/actions/(record|may-promote)(@|$)", step["uses"])
        if found is None:
            if stand_in := self.actions.get(step["uses"].partition("@")[0]):
                stand_in({name: self.fill(value) for name, value in step.get("with", {}).items()})
            return "success", "", {}
        definition = action(found[1])
        given = {name: self.fill(value) for name, value in step.get("with", {}).items()}
        inputs = {name: given.pop(name, each.get("default")) for name, each in definition.content["inputs"].items()}
        assert not given, f"The action {definition.name} has no inputs {[*given]}: correct the step's `with`"
        missing = [name for name, value in inputs.items() if value is None]
        assert not missing, f"The action {definition.name} needs the inputs {missing}: add them to the step's `with`"
        [inner] = definition.content["runs"]["steps"]
        outer, self.context["inputs"] = self.context.get("inputs"), inputs
        try:
            here = {"GITHUB_ACTION_PATH": str(Path(__file__).parents[2] / ".github" / "actions" / found[1])}
            environment = {**self.env, **self.content.get("env", {}), **inner["env"], **here}
            return self._shell(inner["run"], environment)
        finally:
            self.context["inputs"] = outer

    def _shell(self, script: str, env: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
        temporary = self.temporary or self.folder
        output = temporary / "github-output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                MARK: os.environ[MARK],
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(temporary / "github-summary"),
                **self.environ,
                **{name: self.fill(str(value)) for name, value in env.items()},
                **self.overrides,
            },
            capture_output=True,
            text=True,
            timeout=self.seconds,
        )
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return ("failure" if done.returncode else "success"), done.stdout + done.stderr, outputs

    def fill(self, text: str) -> str:
        """Return the text with its expressions replaced by their values."""
        return _EXPRESSION.sub(lambda found: _text(self._value(found[1])), str(text))

    def holds(self, condition: str) -> bool:
        """True if a condition of a job or a step holds."""
        whole = _EXPRESSION.fullmatch(condition.strip())
        condition = whole[1] if whole else condition
        if not _STATUS.search(condition):
            condition = f"success() && ({condition})"
        return bool(self._value(condition))

    def _value(self, expression: str) -> Any:
        functions: dict[str, Any] = {
            "always": lambda: True,
            "success": lambda: self.status == "success" and not self.is_cancelled(),
            "failure": lambda: self.status == "failure",
            "cancelled": self.is_cancelled,
            "contains": lambda where, what: what in where,
            "fromJSON": json.loads,
            "format": str.format,
            "value_of": self._look_up,
        }
        return eval(_python(expression), {"__builtins__": {}}, functions)  # noqa: S307 (the expressions are in this repository)

    def _look_up(self, name: str) -> Any:
        first, *rest = name.split(".")
        assert first in {"github", "vars", "env", "inputs", "needs", "matrix", "steps", "job"}, name
        found: Any = self.context.get(first) or {}
        for part in rest:
            found = found.get(part, "") if isinstance(found, dict) else ""
        return found


def _python(expression: str) -> str:
    expression, position, found = expression.strip(), 0, []
    while position < len(expression):
        token = _TOKEN.match(expression, position)
        assert token, f"The expression has unknown syntax at {expression[position:]!r}: add the syntax to _TOKEN"
        position = token.end()
        if token["text"]:
            found.append(repr(token["text"][1:-1].replace("''", "'")))
        elif token["name"] and expression[position : position + 1] == "(":
            found.append(token["name"])
        elif token["name"]:
            found.append(f"value_of({token['name']!r})")
        else:
            found.append(_OPERATORS.get(token["operator"], token["operator"]))
    return "".join(found).strip()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
