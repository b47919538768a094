"""Run commands that call `gh`, GitHub's command line, and read what they set on GitHub."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.page import sh


class Variables(NamedTuple):
    """Variables on GitHub: those of the repository, and those of each GitHub environment."""

    repository: dict[str, str]
    environments: dict[str, dict[str, str]]


def calls(script: str, folder: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    """Run a script with a stand-in for `gh`; return the arguments of each call."""
    folder.mkdir(parents=True, exist_ok=True)
    gh, told = folder / "gh", folder / "told"
    told.write_text("")
    # An environment whose rules administrators can skip would be an error.
    answer = 'case "$*" in *.can_admins_bypass*) echo false ;; *) echo 7 ;; esac'
    gh.write_text(f'#!/bin/sh\necho "$*" >> {told}\n{answer}\n')
    gh.chmod(0o755)
    sh(script, environ={"PATH": f"{folder}:{os.environ['PATH']}", **(environ or {})})
    return told.read_text().splitlines()


def variables(told: list[str]) -> Variables:
    """Return the variables that calls of `gh variable set` set."""
    found = Variables({}, {})
    for call in told:
        if match := re.fullmatch(r"variable set (\w+)(?: --env (\S+))? --body (\S+)", call):
            name, environment, value = match.groups()
            chosen = found.environments.setdefault(environment, {}) if environment else found.repository
            chosen[name] = value
    return found
