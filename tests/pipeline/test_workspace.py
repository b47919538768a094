"""`make workspace-…`, `route` and `reap` without a registry. The tag `expires` keeps the end of a workspace.

A stand-in replaces Terraform and AWS. tests/rehearsal makes and destroys a workspace with Terraform.
"""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import NAME
from tests.pipeline.account import OUTPUTS, Account
from tests.pipeline.stub import Stub
from tests.support.page import script
from tools.__main__ import main
from tools.aws import leftovers, workspace

NEW = {"EXPIRES": "2d", "PURPOSE": "debug"}


@pytest.fixture
def run(account: Account, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`run("create")` runs the command for the workspace `fix`, and requires success; it returns the output."""

    def run(command: str, *, fails: bool = False, **variables: str) -> str:
        name = f"workspace-{command}" if command in ("create", "extend", "destroy") else command
        failed = main(["aws", name], {"ENV": "development", "WORKSPACE": "fix", **variables})
        out, err = capsys.readouterr()
        assert bool(failed) is fails, out + err
        return err if failed else out

    return run


def ends_in(account: Account, name: str = "development-d-fix") -> timedelta:
    """Return the time until the end of a workspace, which its tag says."""
    return datetime.fromisoformat(account.tags[name]["expires"]) - datetime.now(UTC)


def expire(account: Account, name: str = "development-d-fix") -> None:
    account.tags[name]["expires"] = "2026-01-01T00:00:00Z"


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


def test_the_reaper_destroys_expired_workspaces_only(run: Any, account: Account) -> None:
    run("create", **NEW)
    run("create", **NEW, WORKSPACE="other")
    expire(account)

    run("reap")

    assert [name for command, name in account.done if command == "destroy"] == ["development-d-fix"]


def test_the_reaper_destroys_workspaces_of_both_kinds(run: Any, account: Account) -> None:
    run("create", **NEW, CLIENT="jane")
    run("create", EXPIRES="2d", WORKSPACE="pr-7", PURPOSE="preview")
    for name in ("d-fix", "w-pr-7"):
        expire(account, f"development-{name}")

    run("reap")

    assert account.there == []
    assert (account.routes, account.addresses) == ({}, {})


@pytest.mark.parametrize(
    ("purpose", "left"), [("debug", "w-pr-7"), ("personal", "d-fix"), ("preview", "d-fix")], ids=["debug", "own", "pr"]
)
def test_the_reaper_of_one_kind_does_not_touch_the_other(run: Any, account: Account, purpose: str, left: str) -> None:
    run("create", **NEW)
    run("create", EXPIRES="2d", WORKSPACE="pr-7", PURPOSE="preview")
    for name in ("d-fix", "w-pr-7"):
        expire(account, f"development-{name}")
    account.asked_for_routes = False

    said = run("reap", PURPOSE=purpose)

    assert account.there == [left]
    assert left not in said
    # Only the role for debug workspaces reaches the environment's routes.
    assert account.asked_for_routes is (purpose == "debug")


@pytest.mark.parametrize("tag", ["never", "2026-01-01T00:00:00"])
def test_a_workspace_with_an_unreadable_end_does_not_stop_the_reaper(run: Any, account: Account, tag: str) -> None:
    run("create", EXPIRES="2d", WORKSPACE="a", PURPOSE="preview")
    run("create", **NEW)
    account.tags["development-w-a"]["expires"] = tag
    expire(account)

    assert "development-w-a has resources but no tag `expires`" in run("reap")

    assert account.there == ["w-a"]


def test_the_reaper_goes_on_after_a_failure_and_fails_in_the_end(run: Any, account: Account) -> None:
    for name in ("fix", "other"):
        run("create", **NEW, WORKSPACE=name)
        expire(account, f"development-d-{name}")
    account.fails = "fix"

    assert "fix" in run("reap", fails=True)

    assert ("destroy", "development-d-other") in account.done


def test_the_reaper_begins_no_destroy_that_could_outlast_its_session(
    run: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("create", **NEW)
    expire(account)
    monkeypatch.setattr(workspace, "BEGIN_WITHIN", timedelta(seconds=-1))

    assert "make reap" in run("reap")

    assert account.there == ["d-fix"]


def test_the_reaper_reports_a_workspace_without_an_end(run: Any, account: Account) -> None:
    account.there.append("w-stray")

    assert "development-w-stray has resources but no tag `expires`" in run("reap")


def test_the_reaper_reports_resources_without_a_state(run: Any, account: Account) -> None:
    run("create", **NEW)
    run("create", **NEW, WORKSPACE="over")
    expire(account, "development-d-over")
    arns = [f"arn:aws:sns:eu-central-1:123456789012:{number}" for number in range(7)]
    account.resources = {"d-fix": arns, "d-over": arns, "d-gone": arns, "w-gone": arns[:1]}

    said = run("reap", PURPOSE="debug")

    assert "development-d-gone has no state, but 7 resources have its tags" in said
    assert (arns[4] in said, arns[5] in said) == (True, False)
    # The first has a state, AWS still lists the second, which ended just now, and the third is of another reaper.
    for other in ("d-fix", "d-over", "w-gone"):
        assert f"{other} has no state" not in said


def test_the_reaper_counts_its_run_and_the_orphans_of_each_kind(run: Any, account: Account) -> None:
    account.there += ["w-stray", "w-lost"]
    account.resources = {"d-gone": ["arn:aws:sns:eu-central-1:123456789012:1"]}

    run("reap")

    personal, debug = ({"environment": "development", "purpose": purpose} for purpose in ("personal", "debug"))
    assert account.counted == [
        (f"{NAME} orphans", personal, 2),
        (f"{NAME} reaps", personal, 1),
        (f"{NAME} orphans", debug, 1),
        (f"{NAME} reaps", debug, 1),
    ]


def test_a_reaper_that_fails_does_not_count_its_run(run: Any, account: Account) -> None:
    run("create", **NEW)
    expire(account)
    account.fails = "fix"

    run("reap", fails=True)

    assert [name for name, dimensions, _ in account.counted if dimensions["purpose"] == "debug"] == [f"{NAME} orphans"]


def test_a_reaper_that_may_not_count_says_so_and_reaps(
    run: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutMetricData")

    monkeypatch.setattr(account, "put_metric_data", refused)

    assert "This run is not counted" in run("reap")


def test_a_verification_is_counted(account: Account) -> None:
    assert not main(["pipeline", "count-verification"], {"ENV": "development"})

    assert account.counted == [(f"{NAME} verifications", {"environment": "development"}, 1)]


def test_a_reaper_that_may_not_read_tags_says_so_and_reaps(
    run: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(target: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetResources")

    run("create", **NEW)
    expire(account)
    monkeypatch.setattr(leftovers, "tagged", refused)

    assert "Resources without a state can't be found" in run("reap")

    assert account.there == []


def test_a_record_that_names_the_environment_destroys_nothing(run: Any, account: Account, stub: Stub) -> None:
    account.there.append("w-fix")
    record = {"purpose": "personal", "state": "expired"}
    items = [{**record, "id": 1, "name": "default"}, {**record, "id": 2, "name": "fix"}]
    stub.answers = [(200, {"items": items, "next": None}), (200, {})]
    registry = {"SLIPWAY_URL": stub.url, "SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": "t"}

    assert "names the environment itself" in run("reap", **registry)

    assert account.done == [("destroy", "development-w-fix")]
