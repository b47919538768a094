"""Run the commands of docs/first-deployment.md that call the service or GitHub, and check their effects."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.config import Config

from tests.support.api import Api, application
from tests.support.page import script, sh
from tools.local.issuer import token
from tools.local.server import serving

PAGE = "first-deployment.md"


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    config = Config(chalice_stage="local", config_from_disk={"app_name": "slipway"}, default_params={})
    with serving(application.app, config) as url:
        yield url


def test_slipways_own_environments_and_publishers_are_recorded(url: str, api: Api) -> None:
    sh(script(PAGE, "6."), environ={"PATH": os.environ["PATH"], "URL": url, "TOKEN": token("admin", [])})

    environments = api.get("/v1/systems/slipway/environments").json["items"]
    assert {item["name"]: (item["rank"], item["production"], item["aws_account_id"]) for item in environments} == {
        "development": (1, False, "123456789012"),
        "preproduction": (2, False, "123456789012"),
        "production": (3, True, "210987654321"),
    }
    # Each workflow may record only its own kinds of records, and only for its own environment.
    assert publishers(api, "slipway") == {
        (workflow, str({name: f"{name}{suffix}"}), kinds)
        for name in ("development", "preproduction", "production")
        for workflow, suffix, kinds in (
            ("deploy.yml", "", "deployments, verifications"),
            ("verify.yml", "-verify", "verifications"),
            ("workspace.yml", "-workspaces", "workspaces"),
            ("reap.yml", "-reap", "workspaces"),
        )
    }
    # These publishers may record any revision, because the acceptance tests deploy artifacts that belong to no commit.
    assert publishers(api, "acceptance", any_revision=True) == {
        (workflow, str(dict.fromkeys(("development", "preproduction"), name)), "deployments, verifications")
        for workflow, name in (("deploy.yml", "development"), ("verify.yml", "development-verify"))
    }


def publishers(api: Api, system: str, *, any_revision: bool = False) -> set[tuple[str, str, str]]:
    found = api.get(f"/v1/systems/{system}/publishers?limit=100").json["items"]
    assert {item["any_revision"] for item in found} == {any_revision}
    return {
        (item["workflow"].removeprefix(".github/workflows/"), str(item["environments"]), ", ".join(item["kinds"]))
        for item in found
    }


@pytest.fixture
def told(tmp_path: Path) -> list[str]:
    """The calls of `gh` in the page's blocks for GitHub, in order: one call a line."""
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/told\necho 7\n')
    gh.chmod(0o755)
    sh(
        script(PAGE, needs="GitHub"),
        environ={"PATH": f"{tmp_path}:{os.environ['PATH']}", "URL": "https://slipway.example.org"},
    )
    return (tmp_path / "told").read_text().splitlines()


def test_each_new_github_environment_gets_the_role_of_its_job(told: list[str]) -> None:
    prefix = "variable set AWS_ROLE --env "
    roles = dict(line.removeprefix(prefix).split(" --body ") for line in told if line.startswith(prefix))
    expected = {"artifact": "arn:aws:iam::123456789012:role/slipway-account-artifacts"}
    for name, account in (("development", 123456789012), ("preproduction", 123456789012), ("production", 210987654321)):
        expected[name] = f"arn:aws:iam::{account}:role/slipway-account-apply-{name}"
        for may in ("workspaces", "reap"):
            expected[f"{name}-{may}"] = f"arn:aws:iam::{account}:role/slipway-account-{may}-{name}"
    assert roles == expected

    made = {
        match[1] for line in told if (match := re.search(r"--method PUT repos/acme/slipway/environments/(\S+)", line))
    }
    # Jobs that verify need no role, because they call only the service.
    assert made - roles.keys() == {f"{name}-verify" for name in ("development", "preproduction", "production")}
    assert roles.keys() <= made


def test_no_secret_is_set(told: list[str]) -> None:
    assert not any("secret" in line for line in told)
