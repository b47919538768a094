"""Write routes to the store that CloudFront's viewer function reads, with the code of `make route`."""

import uuid

import pytest

from tools.aws.routes import Routes
from tools.aws.target import Target
from tools.checkout import ToolError

API = {"invoke_domain": "abc.execute-api.eu-central-1.amazonaws.com", "stage_name": "production", "rest_api_id": "abc"}


@pytest.fixture
def target(emulated_port):
    return Target("production", emulated=emulated_port)


@pytest.fixture
def routes(client, target):
    name = f"routes-{uuid.uuid4()}"
    store = client("cloudfront").create_key_value_store(Name=name)
    yield Routes(target, {"site": {"routes_arn": store["KeyValueStore"]["ARN"]}})
    client("cloudfront").delete_key_value_store(Name=name, IfMatch=store["ETag"])


def test_a_route_is_written_replaced_and_deleted(routes):
    routes.put("jane@example.org", workspace="fix", until=1)
    routes.put("jane@example.org", workspace="fix", until=2)
    routes.put("auth0|ci+7", workspace="fix", until=3)

    assert routes.all() == {
        "jane@example.org": {"workspace": "fix", "until": 2},
        "auth0|ci+7": {"workspace": "fix", "until": 3},
    }

    routes.delete("jane@example.org")

    assert routes.all().keys() == {"auth0|ci+7"}


def test_the_address_of_a_workspace_is_an_entry_of_its_own(routes):
    routes.put("fix", workspace="fix", until=1)
    routes.put_address("fix", API)

    assert routes.entries() == {
        "client/fix": {"workspace": "fix", "until": 1},
        "workspace/fix": {"domain": API["invoke_domain"], "path": "/production"},
    }

    routes.delete_address("fix")
    routes.delete_address("fix")

    assert routes.entries().keys() == {"client/fix"}


def test_an_environment_without_a_site_has_no_routes(target):
    with pytest.raises(ToolError, match="no site"):
        Routes(target, {"site": None})
