"""The commands of docs/first-deployment.md let the acceptance tests write."""

import os
from collections.abc import Iterator

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.support.api import Api, application
from tests.support.page import script, sh
from tools.local.issuer import token
from tools.local.server import serving


@pytest.fixture
def url(stage: None) -> Iterator[str]:
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        yield url


def test_the_workflows_that_run_the_acceptance_tests_are_trusted(url: str, api: Api) -> None:
    sh(script("first-deployment.md", "6."), environ={"PATH": os.environ["PATH"], "URL": url, "TOKEN": token("admin")})

    found = api.get("/v1/systems/acceptance/publishers").json["items"]
    # Any revision, because the acceptance tests may write about artifacts that belong to no commit.
    assert {(item["workflow"], str(item["environments"]), item["any_revision"]) for item in found} == {
        (f".github/workflows/{workflow}.yml", str(dict.fromkeys(("development", "preproduction"), name)), True)
        for workflow, name in (("deploy", "development"), ("verify", "development-verify"))
    }
