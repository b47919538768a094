"""requirements*.txt locks the packages of requirements*.in, with hashes."""

import re

import pytest

from tests.support.checkout import ROOT

NAMES = ("requirements", "requirements-dev", "requirements-checkov")
LOCKED = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; [^\n\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n")
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==(\S+)", re.MULTILINE)


def locked(name: str) -> set[tuple[str, str]]:
    return {(found["name"], found["version"]) for found in LOCKED.finditer((ROOT / f"{name}.txt").read_text())}


def asked_for(name: str) -> set[tuple[str, str]]:
    pins = PINNED.findall((ROOT / f"{name}.in").read_text())
    return {(re.sub(r"[-_.]+", "-", package).lower(), version) for package, version in pins}


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_contains_only_versions_with_hashes(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text()

    assert locked(name)
    assert LOCKED.sub("", re.sub("^#.*\n", "", text, flags=re.MULTILINE)) == ""
    assert "://" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_contains_all_requirements(name: str) -> None:
    lines = re.sub("(^| +)#.*$", "", (ROOT / f"{name}.in").read_text(), flags=re.MULTILINE).split()

    assert len(asked_for(name)) == len([line for line in lines if line not in ("-r", "requirements.txt")])
    assert asked_for(name) <= locked(name), f"{name}.txt is stale: run `make lock`"


def test_development_uses_the_shipped_versions() -> None:
    assert "\n-r requirements.txt\n" in (ROOT / "requirements-dev.in").read_text()
    assert locked("requirements") <= locked("requirements-dev")
