"""`make workspace-…`, `route` and `reap`: their calls of the real service, and the order of their changes in AWS.

A stand-in replaces Terraform. tests/rehearsal makes and destroys a workspace with Terraform.
"""

import shlex
from typing import Any

import pytest

from chalicelib.workspaces.model import MOST_AHEAD
from tests.pipeline.account import OUTPUTS, Account
from tests.support.given import Given
from tests.support.page import script
from tools.__main__ import main
from tools.aws import workspace_records
from tools.local.issuer import token


@pytest.fixture
def run(service: str, given: Given, capsys: pytest.CaptureFixture[str]) -> Any:
    """`run("create")` runs the command for the workspace `fix`. It returns the output, or None if the command fails."""
    given.the_usual()
    given.sql("UPDATE environments SET workspace_hosts = '{api.example.org}'")

    def run(command: str, **variables: str) -> str | None:
        said = {
            "SLIPWAY_URL": service,
            "SLIPWAY_SYSTEM": "azul",
            "SLIPWAY_TOKEN": token("maintainer", ["azul"]),
            "ENV": "development",
            "WORKSPACE": "fix",
            **variables,
        }
        name = f"workspace-{command}" if command in ("create", "extend", "destroy") else command
        failed = main(["aws", name], said)
        out, err = capsys.readouterr()
        run.said = err if failed else out  # type: ignore[attr-defined]
        return None if failed else run.said  # type: ignore[attr-defined]

    return run


def records(given: Given) -> list[tuple[Any, ...]]:
    return given.sql("SELECT name, purpose, base_url, destroyed_at IS NOT NULL FROM workspaces ORDER BY id")


def test_the_pages_commands_create_use_and_destroy_a_workspace(run: Any, account: Account, given: Given) -> None:
    [create, extend, destroy, reap] = [
        (target.removeprefix("workspace-"), dict(word.split("=", 1) for word in words))
        for _, target, *words in (
            shlex.split(line, comments=True) for line in script("infrastructure.md", "Workspaces").splitlines()
        )
    ]
    for command, variables in (create, extend):
        assert run(command, **variables), run.said

    assert records(given) == [("ann", "personal", OUTPUTS["url"], False)]
    assert given.sql("SELECT expires_at > now() + interval '13 days' FROM workspaces") == [(True,)]

    assert run(destroy[0], **destroy[1]), run.said
    assert run(reap[0], **reap[1]) == "No workspace has expired\n"
    assert account.done == [("apply", "development-w-ann"), ("destroy", "development-w-ann")]
    assert records(given) == [("ann", "personal", OUTPUTS["url"], True)]


def test_the_pages_commands_create_use_and_destroy_a_debug_workspace(run: Any, account: Account, given: Given) -> None:
    debug = {"ENV": "production", "WORKSPACE": "fix-42", "PURPOSE": "debug", "DATABASE": "clone"}

    assert run("create", **debug, EXPIRES="1d", REASON="Jane's orders fail"), run.said
    assert records(given) == [("fix-42", "debug", OUTPUTS["url"], False)]
    assert account.choices == [{"workspace_purpose": "debug", "database_source": "clone"}]

    assert run("destroy", ENV="production", WORKSPACE="fix-42"), run.said
    assert account.done == [("apply", "production-d-fix-42"), ("destroy", "production-d-fix-42")]
    assert records(given) == [("fix-42", "debug", OUTPUTS["url"], True)]


NEW = {"EXPIRES": "2d", "REASON": "Jane's orders fail", "PURPOSE": "debug"}


def test_a_workspace_is_recorded_then_made_and_its_url_is_recorded(run: Any, account: Account, given: Given) -> None:
    assert run("create", **NEW)

    assert records(given) == [("fix", "debug", OUTPUTS["url"], False)]
    assert account.done == [("apply", "development-d-fix")]


@pytest.mark.usefixtures("account")
def test_a_long_reason_is_cut(run: Any, given: Given) -> None:
    assert run("create", **NEW | {"REASON": "x" * 600})
    assert "REASON has 600 characters" in run.said
    assert run("extend", PURPOSE="debug", EXPIRES="3d", REASON="y" * 600)

    assert given.sql("SELECT left(reason, 1), length(reason) FROM workspaces") == [("y", 500)]


def test_creating_it_again_updates_it(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    assert run("create", **NEW)

    assert len(records(given)) == 1
    assert account.done == [("apply", "development-d-fix")] * 2


def test_the_record_of_another_kind_is_refused(run: Any, account: Account) -> None:
    run("create", **NEW)
    account.there.clear()  # the creation broke off before Terraform

    assert run("create", EXPIRES="1d", REASON="Again") is None

    assert "fix is a debug workspace: set PURPOSE=debug" in run.said
    assert account.done == [("apply", "development-d-fix")]


def test_a_record_without_resources_can_be_ended(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    account.there.clear()

    assert run("destroy", PURPOSE="debug"), run.said

    assert records(given)[0][3]


def test_an_update_keeps_its_first_settings(run: Any, account: Account) -> None:
    run("create", **NEW, DATABASE="clone")
    run("create", EXPIRES="1d")

    assert account.choices == [{"workspace_purpose": "debug", "database_source": "clone"}, {}]


def test_an_expired_workspace_is_not_made_again(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    given.sql("UPDATE workspaces SET expires_at = created_at + interval '1 microsecond'")

    assert run("create", **NEW) is None

    assert "workspace-destroy" in run.said
    assert len(account.done) == 1


def test_a_workspace_that_the_registry_refuses_is_not_made(run: Any, account: Account, given: Given) -> None:
    assert run("create", **{**NEW, "EXPIRES": "4d"}) is None

    assert records(given) == []
    assert account.done == []


@pytest.mark.parametrize("missing", ["EXPIRES", "REASON"])
def test_missing_variables_are_named(run: Any, account: Account, missing: str) -> None:
    assert run("create", **{name: value for name, value in NEW.items() if name != missing}) is None

    assert missing in run.said
    assert account.done == []


@pytest.mark.parametrize("expires", ["2 d", "d", "0d", "2w", "-1h"])
def test_an_unreadable_time_is_refused(run: Any, account: Account, expires: str) -> None:
    assert run("create", **{**NEW, "EXPIRES": expires}) is None

    assert account.done == []


def test_the_environment_itself_is_no_workspace(run: Any, account: Account) -> None:
    for command in ("create", "extend", "destroy", "route", "unroute"):
        assert run(command, **NEW, WORKSPACE="default", CLIENT="jane", UNTIL="1h") is None

    assert account.done == []


def test_shortening_it_shortens_its_routes(run: Any, account: Account) -> None:
    run("create", **NEW, CLIENT="jane")
    run("route", CLIENT="joe", UNTIL="5m")
    account.routes["ann"] = {**account.routes["jane"], "workspace": "another"}
    before = {client: sent["until"] for client, sent in account.routes.items()}

    assert run("extend", EXPIRES="1h"), run.said

    after = {client: sent["until"] for client, sent in account.routes.items()}
    assert after["jane"] < before["jane"]
    assert (after["joe"], after["ann"]) == (before["joe"], before["ann"])


def test_extending_it_takes_a_reason(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    before = given.sql("SELECT expires_at FROM workspaces")[0][0]

    assert run("extend", EXPIRES="3d", REASON="The cause is still unknown")

    assert given.sql("SELECT expires_at FROM workspaces")[0][0] > before


def test_a_route_is_recorded_in_the_registry_and_written_to_the_store(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)

    assert run("route", CLIENT="jane", UNTIL="2h")

    until = given.sql("SELECT extract(epoch FROM until)::int FROM routes WHERE client = 'jane'")[0][0]
    assert account.routes == {"jane": {"workspace": "fix", "until": until}}


def test_a_client_can_be_routed_at_the_creation_of_the_workspace(run: Any, account: Account) -> None:
    assert run("create", **NEW, CLIENT="jane", UNTIL="1h")

    assert account.routes.keys() == {"jane"}


def test_a_route_without_a_time_ends_with_its_workspace(run: Any, account: Account, given: Given) -> None:
    assert run("create", **NEW, CLIENT="jane")

    assert given.sql("SELECT extract(epoch FROM expires_at)::int FROM workspaces") == [
        (account.routes["jane"]["until"],)
    ]


def test_a_route_to_a_record_at_another_address_is_refused(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    given.sql("UPDATE workspaces SET base_url = 'https://evil.example'")

    assert run("route", CLIENT="jane", UNTIL="2h") is None

    assert "base_url" in run.said
    assert account.routes == {}


def test_a_route_to_a_host_that_the_environment_does_not_name_is_refused(
    run: Any, account: Account, given: Given
) -> None:
    run("create", **NEW)
    given.sql("UPDATE environments SET workspace_hosts = '{}'")

    assert run("route", CLIENT="jane", UNTIL="2h") is None

    assert "workspace_hosts" in run.said
    assert account.routes == {}


def test_a_route_that_the_registry_refuses_is_not_written(run: Any, account: Account) -> None:
    run("create", **NEW)

    assert run("route", CLIENT="jane", UNTIL="3d") is None

    assert account.routes == {}


def test_unrouting_deletes_the_route_in_the_registry_and_in_the_store(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW, CLIENT="jane", UNTIL="1h")

    assert run("unroute", CLIENT="jane")

    assert account.routes == {}
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


def test_destroying_a_workspace_deletes_its_routes(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW, CLIENT="jane", UNTIL="1h")

    assert run("destroy")

    assert account.done[-2:] == [("unroute", "jane"), ("destroy", "development-d-fix")]
    assert records(given)[0][3]


def test_the_reaper_destroys_expired_workspaces_only(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    run("create", **NEW, WORKSPACE="other")
    given.sql("UPDATE workspaces SET expires_at = created_at + interval '1 microsecond' WHERE name = 'fix'")

    assert run("reap") is not None

    assert [name for command, name in account.done if command == "destroy"] == ["development-d-fix"]
    assert [gone for *_, gone in records(given)] == [True, False]


def test_the_reaper_of_one_kind_does_not_touch_the_other(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    run("create", EXPIRES="2d", REASON="Pull request 7", WORKSPACE="pr-7", PURPOSE="preview")
    given.sql("UPDATE workspaces SET expires_at = created_at + interval '1 microsecond'")

    assert "d-fix" not in run("reap", PURPOSE="preview")

    assert account.there == ["d-fix"]


def test_the_reaper_goes_on_after_a_failure_and_fails_in_the_end(run: Any, account: Account, given: Given) -> None:
    run("create", **NEW)
    run("create", **NEW, WORKSPACE="other")
    given.sql("UPDATE workspaces SET expires_at = created_at + interval '1 microsecond'")
    account.fails = "fix"

    assert run("reap") is None

    assert ("destroy", "development-d-other") in account.done
    assert [gone for *_, gone in records(given)] == [False, True]


def test_the_reaper_reports_orphans_of_either_kind(run: Any, account: Account) -> None:
    run("create", **NEW)
    account.there[:] = ["w-stray"]

    assert "development-w-stray has resources but no record" in run("reap")
    assert "development-d-fix has a record but no resources" in run.said


def test_without_a_registry_workspaces_have_the_same_limits() -> None:
    assert workspace_records._MOST_AHEAD == MOST_AHEAD
