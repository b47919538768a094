"""`make reap` without a registry: it destroys expired workspaces, reports orphans, and counts its runs."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import NAME
from tests.pipeline.account import NEW, Account, expire
from tests.pipeline.stub import Stub
from tools.__main__ import main
from tools.aws import leftovers, workspace


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
