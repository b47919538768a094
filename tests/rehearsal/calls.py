"""Read the log of an emulated account: who called which operation, with which parameters."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.rehearsal.operations import PREFIXES
from tools.checks.walls.reference import listed

Tags = Mapping[str, str]
_TAGS = re.compile("(userpool)?tags|tagset|tagging|tagspecifications")


@dataclass(frozen=True)
class Call:
    """A line of the log."""

    caller: str
    service: str
    region: str
    http: tuple[str, str]
    operation: str
    parameters: Mapping[str, Any]
    tags: Mapping[str, Tags]

    @property
    def role(self) -> str:
        """The role's name; empty for calls of the test itself."""
        return self.caller.partition(".")[2].partition(".")[0]

    @property
    def step(self) -> str:
        return self.caller.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        return PREFIXES.get(self.service, self.service)

    @property
    def new_tags(self) -> dict[str, str]:
        """The tags that the request sets."""
        return dict(tags_in(self.parameters))


def read(log: Path) -> list[Call]:
    """Return the calls of roles. Calls without a role are the test's own."""
    calls = [Call(**json.loads(line)) for line in log.read_text().splitlines()]
    return [each for each in calls if each.role]


def tags_in(value: Any, *, inside: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the tags in parameters: pairs, maps and, for objects of S3, a query."""
    if isinstance(value, list):
        for each in value:
            yield from tags_in(each, inside=inside)
    elif isinstance(value, dict):
        pair = {key.lower().removeprefix("tag"): each for key, each in value.items()}
        if inside and "key" in pair:
            yield pair["key"], pair.get("value", "")
        elif inside and "ResourceType" not in value and all(isinstance(each, str) for each in value.values()):
            yield from value.items()
        else:
            for key, each in value.items():
                yield from tags_in(each, inside=inside or bool(_TAGS.fullmatch(key.lower())))
    elif inside and isinstance(value, str):
        yield from parse_qsl(value)


def values(value: Any, names: str) -> Iterator[str]:
    """Yield the texts of all parameters with one of the names, which `|` separates."""
    if isinstance(value, list):
        for each in value:
            yield from values(each, names)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in names.split("|"):
                yield from (text for text in listed(each) if isinstance(text, str))
            else:
                yield from values(each, names)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
