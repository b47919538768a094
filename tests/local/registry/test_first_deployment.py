"""The commands of docs/first-deployment.md record Slipway's own environments, and the publishers of its workflows."""

import os
from collections.abc import Iterator

import pytest
from chalice.config import Config

from tests.local.test_first_deployment import PAGE, publishers
from tests.support.api import Api, application
from tests.support.page import script, sh
from tools.local.issuer import token
from tools.local.server import serving


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
