"""`make workspace-…` and `route` without a registry. The tag `expires` keeps the end of a workspace.

A stand-in replaces Terraform and AWS. tests/rehearsal makes and destroys a workspace with Terraform.
"""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.pipeline.account import NEW, OUTPUTS, Account, expire
from tests.support.page import script
from tools.__main__ import main


def ends_in(account: Account, name: str = "development-d-fix") -> timedelta:
    """Return the time until the end of a workspace, which its tag says."""
    return datetime.fromisoformat(account.tags[name]["expires"]) - datetime.now(UTC)


def test_the_pages_commands_make_extend_and_destroy_a_workspace(run: Any, account: Account) -> None:
    for line in script("infrastructure.md", "Workspaces").splitlines():
        _, target, *words = shlex.split(line, comments=True)
        run(target.removeprefix("workspace-"), **dict(word.split("=", 1) for word in words))

    assert account.done == [("apply", "development-w-ann"), ("destroy", "development-w-ann")]


def test_a_workspace_is_made_and_tagged_with_its_end(run: Any, account: Account) -> None:
    said = run("create", **NEW)

    assert "SLIPWAY_URL" in said
    assert f"development-d-fix is at {OUTPUTS['url']}" in said
    assert account.done == [("apply", "development-d-fix")]
    assert account.choices == [{"workspace_purpose": "debug"}]
    assert timedelta(days=1, hours=23) < ends_in(account) <= timedelta(days=2)


def test_an_update_keeps_the_end(run: Any, account: Account) -> None:
    run("create", **NEW)
    run("create", EXPIRES="1d")

    assert account.done == [("apply", "development-d-fix")] * 2
    assert ends_in(account) > timedelta(days=1)


def test_a_workspace_that_make_apply_made_gets_an_end(run: Any, account: Account) -> None:
    account.there.append("w-fix")
    account.tags["development-w-fix"] = {}

    run("create", EXPIRES="1d")

    assert ends_in(account, "development-w-fix") <= timedelta(days=1)


def test_an_expired_workspace_is_not_made_again(run: Any, account: Account) -> None:
    run("create", **NEW)
    expire(account)

    assert "workspace-destroy" in run("create", **NEW, fails=True)

    assert len(account.done) == 1


@pytest.mark.parametrize(
    ("purpose", "longest", "longer"), [("debug", "3d", "4d"), ("personal", "14d", "15d"), ("preview", "14d", "15d")]
)
def test_a_workspace_ends_within_the_time_that_its_purpose_allows(
    run: Any, account: Account, purpose: str, longest: str, longer: str
) -> None:
    assert f"EXPIRES={longest}" in run("create", PURPOSE=purpose, EXPIRES=longer, fails=True)
    assert account.done == []

    run("create", PURPOSE=purpose, EXPIRES=longest)
    assert f"EXPIRES={longest}" in run("extend", EXPIRES=longer, REASON="It takes longer", fails=True)


def test_a_later_end_needs_a_reason_and_an_earlier_end_needs_none(run: Any, account: Account) -> None:
    run("create", **NEW)

    assert "REASON" in run("extend", EXPIRES="3d", fails=True)
    run("extend", EXPIRES="3d", REASON="The cause is still unknown")
    assert ends_in(account) > timedelta(days=2)
    run("extend", EXPIRES="1h")
    assert ends_in(account) <= timedelta(hours=1)


def test_extending_it_applies_nothing(run: Any, account: Account) -> None:
    run("create", **NEW)
    run("extend", EXPIRES="1h")

    assert account.done == [("apply", "development-d-fix")]


def test_an_expired_workspace_is_not_extended(run: Any, account: Account) -> None:
    run("create", **NEW)
    expire(account)

    assert "has expired" in run("extend", EXPIRES="1d", REASON="It takes longer", fails=True)


def test_shortening_a_workspace_shortens_its_routes(run: Any, account: Account) -> None:
    run("create", **NEW, CLIENT="jane")
    before = account.routes["jane"]["until"]

    run("extend", EXPIRES="1h")

    assert account.routes["jane"]["until"] < before


def test_a_route_is_written_to_the_store_and_deleted(run: Any, account: Account) -> None:
    run("create", **NEW)

    run("route", CLIENT="jane", UNTIL="2h")
    assert account.routes["jane"]["workspace"] == "fix"
    run("unroute", CLIENT="jane")
    assert account.routes == {}


def test_a_debug_workspace_has_its_address_in_the_store_until_it_is_destroyed(run: Any, account: Account) -> None:
    run("create", **NEW)
    assert account.addresses.keys() == {"fix"}
    assert account.addresses["fix"]["invoke_domain"] == OUTPUTS["api"]["invoke_domain"]

    run("destroy")
    assert account.addresses == {}


def test_applying_and_destroying_a_debug_workspace_by_hand_keeps_the_store_up_to_date(
    run: Any, account: Account
) -> None:
    run("create", **NEW, CLIENT="jane")
    account.addresses.clear()

    run("apply")
    assert account.addresses.keys() == {"fix"}
    assert main(["aws", "destroy"], {"ENV": "development", "WORKSPACE": "fix"}) == 0
    assert (account.addresses, account.routes) == ({}, {})


def test_a_route_without_a_time_ends_with_its_workspace(run: Any, account: Account) -> None:
    run("create", **NEW, CLIENT="jane")

    end = datetime.fromisoformat(account.tags["development-d-fix"]["expires"])
    assert account.routes["jane"]["until"] == end.timestamp()


@pytest.mark.parametrize(
    ("created", "until", "needs"),
    [
        (None, "1h", "make workspace-create"),
        ({"EXPIRES": "1d", "PURPOSE": "personal"}, "1h", "PURPOSE=debug"),
        ({"EXPIRES": "1d", "PURPOSE": "debug"}, "2d", "make workspace-extend"),
    ],
)
def test_a_route_says_what_it_needs(
    run: Any, account: Account, created: dict[str, str] | None, until: str, needs: str
) -> None:
    account.tags["development-d-fix"] = {}
    if created is not None:
        run("create", **created)

    assert needs in run("route", CLIENT="jane", UNTIL=until, fails=True)

    assert account.routes == {}


def test_destroying_a_workspace_deletes_its_routes(run: Any, account: Account) -> None:
    run("create", **NEW, CLIENT="jane")

    assert "development-d-fix is destroyed" in run("destroy")

    assert account.done[-2:] == [("unroute", "jane"), ("destroy", "development-d-fix")]


def test_a_workspace_whose_creation_or_destruction_broke_off_can_be_destroyed(run: Any, account: Account) -> None:
    account.there.append("w-fix")  # its function does not exist

    run("destroy")

    assert account.done == [("destroy", "development-w-fix")]


def test_a_workspace_that_does_not_exist_is_not_destroyed(run: Any, account: Account) -> None:
    assert "no such workspace" in run("destroy", fails=True)

    assert account.done == []


def test_a_debug_workspace_and_another_one_are_told_apart(run: Any, account: Account) -> None:
    run("create", **NEW)

    assert "fix is a debug workspace: set PURPOSE=debug" in run("create", EXPIRES="1d", PURPOSE="preview", fails=True)
    assert "fix is a debug workspace: set PURPOSE=debug" in run("destroy", PURPOSE="personal", fails=True)
    run("destroy", PURPOSE="debug")
    run("create", EXPIRES="1d")
    assert "fix is not a debug workspace" in run("extend", EXPIRES="1h", PURPOSE="debug", fails=True)

    account.there.append("d-fix")
    assert "two workspaces fix" in run("destroy", fails=True)
    run("destroy", PURPOSE="personal")
    assert account.there == ["d-fix"]


@pytest.mark.parametrize("source", ["clone", "live"])
def test_only_a_debug_workspace_may_have_the_environments_data(run: Any, account: Account, source: str) -> None:
    for purpose in ("", "personal", "preview"):
        refused = run("create", EXPIRES="1d", PURPOSE=purpose, DATABASE=source, fails=True)
        assert f"DATABASE={source} is for debug workspaces only: set PURPOSE=debug" in refused
    assert account.done == []

    run("create", **NEW, DATABASE=source)
    run("create", EXPIRES="1d", DATABASE=source)

    assert account.done == [("apply", "development-d-fix")] * 2


def test_the_routes_are_left_alone_unless_the_workspace_is_for_debugging(run: Any, account: Account) -> None:
    personal = {"EXPIRES": "2d", "PURPOSE": "personal"}

    run("create", **personal)
    run("extend", EXPIRES="1d")
    for command in ("create", "route", "unroute"):
        refused = run(command, **personal, CLIENT="jane", UNTIL="1h", fails=True)
        assert "only a debug workspace takes routes" in refused
    run("destroy")

    assert not account.asked_for_routes
    assert account.done == [("apply", "development-w-fix"), ("destroy", "development-w-fix")]
