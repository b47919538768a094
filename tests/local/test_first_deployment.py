"""docs/first-deployment.md: what it records in the service, and what it tells GitHub, done to the letter."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.config import Config

from devtools.fuzz import serving
from devtools.issuer import token
from tests.support.api import Api, application
from tests.support.page import Commands, part, runs


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    config = Config(chalice_stage="local", config_from_disk={"app_name": "slipway"}, default_params={})
    with serving(application.app, config) as url:
        yield url


@runs(part("first-deployment.md", "6."))
def test_slipways_own_environments_and_publishers_are_recorded(commands: Commands, url: str, api: Api) -> None:
    commands.run(environ={"PATH": os.environ["PATH"], "URL": url, "TOKEN": token("admin", [])})

    environments = api.get("/v1/systems/slipway/environments").json["items"]
    assert {item["name"]: (item["rank"], item["production"], item["aws_account_id"]) for item in environments} == {
        "development": (1, False, "123456789012"),
        "preproduction": (2, False, "123456789012"),
        "production": (3, True, "210987654321"),
    }
    publishers = api.get("/v1/systems/slipway/publishers").json["items"]
    # Each environment's deployment writes for it alone; a daily verification only verifies.
    assert sorted((item["workflow"], str(item["environments"]), item["kinds"]) for item in publishers) == sorted(
        entry
        for name in ("development", "preproduction", "production")
        for entry in (
            (".github/workflows/deploy.yml", str({name: name}), ["deployments", "verifications"]),
            (".github/workflows/verify.yml", str({name: f"{name}-verify"}), ["verifications"]),
        )
    )


on_github = runs(part("first-deployment.md", needs="GitHub"))


@pytest.fixture
def told(commands: Commands, tmp_path: Path) -> list[str]:
    """What GitHub is told, a call a line, by all of the page's blocks in order."""
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/told\necho 7\n')
    gh.chmod(0o755)
    commands.run(environ={"PATH": f"{tmp_path}:{os.environ['PATH']}", "URL": "https://slipway.example.org"})
    return (tmp_path / "told").read_text().splitlines()


@on_github
def test_each_github_environment_gets_its_role_and_its_branches(told: list[str]) -> None:
    prefix = "variable set AWS_ROLE --env "
    roles = dict(line.removeprefix(prefix).split(" --body ") for line in told if line.startswith(prefix))
    expected = {"artifact": "arn:aws:iam::123456789012:role/slipway-account-artifacts"}
    for name, account in (("development", 123456789012), ("preproduction", 123456789012), ("production", 210987654321)):
        expected[name] = f"arn:aws:iam::{account}:role/slipway-account-apply-{name}"
        expected[f"{name}-workspaces"] = f"arn:aws:iam::{account}:role/slipway-account-workspaces-{name}"
    assert roles == expected

    branches: dict[str, list[str]] = {}
    for line in told:
        path, _, branch = line.partition("/deployment-branch-policies -f name=")
        if branch:
            branches.setdefault(path.rpartition("/")[2], []).append(branch.split()[0])
    assert branches == {
        "artifact": ["development", "preproduction", "production"],
        **{name: [name] for name in ("development", "preproduction", "production")},
        **{
            f"{name}-{job}": ["development"]
            for name in ("development", "preproduction", "production")
            for job in ("workspaces", "verify")
        },
    }


@on_github
def test_production_waits_for_an_approval_and_no_secret_is_set(told: list[str]) -> None:
    assert any("environments/production " in line and "reviewers[][id]=7" in line for line in told)
    assert not any("secret" in line for line in told)
