"""Run the commands of docs/first-deployment.md that call the service, and check their effects."""

import os

from chalicelib import NAME
from tests.support.api import Api
from tests.support.page import script, sh
from tools.local.issuer import token

PAGE = "first-deployment.md"


def test_our_own_environments_and_publishers_are_recorded(url: str, api: Api) -> None:
    sh(script(PAGE, "6."), environ={"PATH": os.environ["PATH"], "URL": url, "TOKEN": token("admin", [])})

    environments = api.get(f"/v1/systems/{NAME}/environments").json["items"]
    assert {item["name"]: (item["rank"], item["production"], item["aws_account_id"]) for item in environments} == {
        "development": (1, False, "123456789012"),
        "preproduction": (2, False, "123456789012"),
        "production": (3, True, "210987654321"),
    }
    # Each workflow may record only its own kinds of records, and only for its own environment.
    assert publishers(api, NAME) == {
        (workflow, str({name: f"{name}{suffix}"}), kinds, purposes)
        for name in ("development", "preproduction", "production")
        for workflow, suffix, kinds, purposes in (
            ("deploy.yml", "", "deployments, verifications, bindings", ""),
            ("verify.yml", "-verify", "verifications", ""),
            ("workspace.yml", "-workspaces", "workspaces", "personal, preview"),
            ("workspace.yml", "-debug", "workspaces", "debug"),
            ("reap.yml", "-reap", "workspaces", "personal, preview"),
            ("reap.yml", "-reap-debug", "workspaces", "debug"),
        )
    }
    kinds = "deployments, verifications, bindings"
    # These publishers may record any revision, because the acceptance tests deploy artifacts that belong to no commit.
    assert publishers(api, "acceptance", any_revision=True) == {
        (workflow, str(dict.fromkeys(("development", "preproduction"), name)), kinds, "")
        for workflow, name in (("deploy.yml", "development"), ("verify.yml", "development-verify"))
    }


def publishers(api: Api, system: str, *, any_revision: bool = False) -> set[tuple[str, str, str, str]]:
    found = api.get(f"/v1/systems/{system}/publishers?limit=100").json["items"]
    assert {item["any_revision"] for item in found} == {any_revision}
    return {
        (
            item["workflow"].removeprefix(".github/workflows/"),
            str(item["environments"]),
            ", ".join(item["kinds"]),
            ", ".join(item["purposes"]) if "workspaces" in item["kinds"] else "",
        )
        for item in found
    }
