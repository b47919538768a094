"""Write routes to the store that CloudFront's viewer function reads, with the code of `make route`."""

import uuid

import pytest

from tools.aws.environment import Target
from tools.aws.routes import Routes
from tools.checkout import ToolError

SENT = {"workspace": "fix", "domain": "abc.execute-api.eu-central-1.amazonaws.com", "path": "/production"}


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
    routes.put("jane@example.org", **SENT, until=1)
    routes.put("jane@example.org", **SENT, until=2)
    routes.put("ci:7", **SENT, until=3)

    assert routes.all() == {"jane@example.org": {**SENT, "until": 2}, "ci:7": {**SENT, "until": 3}}

    routes.delete("jane@example.org")

    assert routes.all().keys() == {"ci:7"}


def test_an_environment_without_a_site_has_no_routes(target):
    with pytest.raises(ToolError, match="no site"):
        Routes(target, {"site": None})
