"""Read the workflows and actions in .github/, and the targets of the Makefile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools import checkout
from tools.checkout import ROOT

GITHUB = ROOT / ".github"
ENVIRONMENTS = list(checkout.ENVIRONMENTS)

Yaml = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads only `true` and `false` as booleans, as GitHub does. `on` and `YES` are strings."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def read_yaml(text: str) -> Any:
    """Parse the text of a workflow or an action."""
    return yaml.load(text, _Loader)  # noqa: S506 (a safe loader)


@dataclass
class Definition:
    """A workflow or a composite action: its text and its parsed YAML."""

    name: str
    text: str
    content: Yaml

    @property
    def jobs(self) -> dict[str, Yaml]:
        return self.content.get("jobs", {})

    @property
    def triggers(self) -> Yaml:
        return self.content.get("on", {})

    def steps(self) -> Iterator[tuple[str, Yaml]]:
        """Yield the place and the content of each step."""
        if "runs" in self.content:
            for number, step in enumerate(self.content["runs"]["steps"], 1):
                yield f"{self.name}, step {number}", step
        for job, content in self.jobs.items():
            for number, step in enumerate(content.get("steps", []), 1):
                yield f"{self.name}, {job}, {step.get('name') or step.get('id') or f'step {number}'}", step


def workflow(name: str) -> Definition:
    return _read(name, GITHUB / "workflows" / f"{name}.yml")


def action(name: str) -> Definition:
    return _read(name, GITHUB / "actions" / name / "action.yml")


def _read(name: str, path: Path) -> Definition:
    text = path.read_text()
    return Definition(name, text, read_yaml(text))


WORKFLOWS = sorted(path.stem for path in (GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted(path.parent.name for path in (GITHUB / "actions").glob("*/action.yml"))


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
