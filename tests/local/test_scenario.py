"""Use the running service over HTTP, as a user does, with tokens from `make token`."""

from collections.abc import Callable

from tests.support.caller import Caller

SHOP = "/v1/systems/shop"
PUBLISHER = {
    "repository": "acme/shop",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/main",
    "environments": {"production": "production"},
}


def test_a_system_gets_environments_and_a_publisher_and_every_write_is_recorded(as_: Callable[..., Caller]) -> None:
    admin, maintainer, viewer = as_("admin"), as_("maintainer", SYSTEM="shop"), as_("viewer")
    assert (
        admin("POST", "/v1/systems", {"key": "shop", "name": "Shop", "repository": "https://github.com/acme/shop"})[0]
        == 201
    )

    # A maintainer may write to the own system only, and a viewer may only read.
    development = {"name": "development", "rank": 1, "aws_account_id": "111111111111"}
    assert viewer("POST", f"{SHOP}/environments", development)[0] == 403
    assert maintainer("POST", "/v1/systems", {"key": "search", "name": "Search"})[0] == 403
    assert maintainer("POST", f"{SHOP}/environments", development)[0] == 201
    status, problem = maintainer("POST", f"{SHOP}/environments", development)
    assert (status, problem["type"]) == (409, "/problems/already-exists")

    # One AWS account can't hold both production and other environments.
    production = {"name": "production", "rank": 2, "production": True, "required_suites": ["acceptance", "load"]}
    status, problem = maintainer("POST", f"{SHOP}/environments", {**production, "aws_account_id": "111111111111"})
    assert (status, problem["type"]) == (409, "/problems/account-holds-one-class")
    assert maintainer("POST", f"{SHOP}/environments", {**production, "aws_account_id": "222222222222"})[0] == 201

    # A publisher names existing environments. A change must name the version that it changes.
    status, problem = maintainer("POST", f"{SHOP}/publishers", {**PUBLISHER, "environments": {"staging": None}})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/environments/staging")
    assert maintainer("POST", f"{SHOP}/publishers", PUBLISHER)[0] == 201
    assert maintainer("PATCH", f"{SHOP}/environments/production", {"rank": 3})[0] == 428
    assert maintainer("PATCH", f"{SHOP}/environments/production", {"rank": 3}, if_match="*")[0] == 200

    _, environments = viewer("GET", f"{SHOP}/environments")
    assert [(each["name"], each["rank"]) for each in environments["items"]] == [("development", 1), ("production", 3)]

    # If production would require less, the change takes a reason.
    status, problem = maintainer("DELETE", f"{SHOP}/environments/development", if_match="*")
    assert (status, problem["type"]) == (422, "/problems/reason-required")
    because = "?reason=Production%20is%20enough"
    assert maintainer("DELETE", f"{SHOP}/environments/development{because}", if_match="*")[0] == 204
    assert viewer("GET", f"{SHOP}/environments/development")[0] == 404
    _, events = maintainer("GET", "/v1/audit-events?system=shop")
    assert [(each["action"], each["refusal"]) for each in reversed(events["items"])] == [
        ("system.create", None),
        ("environment.create", "forbidden"),
        ("environment.create", None),
        ("environment.create", "already-exists"),
        ("environment.create", "account-holds-one-class"),
        ("environment.create", None),
        ("publisher.create", None),
        ("environment.change", None),
        ("environment.delete", "reason-required"),
        ("environment.delete", None),
    ]
