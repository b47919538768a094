"""A workspace expires at its end, and the end can be moved within limits."""

from datetime import datetime, timedelta

import pytest

from chalicelib.database.connection import lock_key
from tests.support.given import ahead
from tests.support.races import eventually, held

PATH = "/v1/systems/azul/workspaces"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
DAY = 86400


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


def test_it_reads_as_expired_before_the_sweep(api, given):
    given.the_usual()
    workspace = given.a_workspace(expires_at=ahead(hours=1))

    given.time_passes(3601)

    read = api.get(f"{PATH}/{workspace['id']}")
    assert read["state"] == "expired"
    assert api.get(f"{PATH}?state=active")["items"] == []
    assert given.sql("SELECT state FROM workspaces") == [("active",)]


def test_extending_it_takes_a_reason(api, given):
    given.the_usual()
    workspace = given.a_workspace(expires_at=ahead(hours=1))
    path, until = f"{PATH}/{workspace['id']}", ahead(hours=70)

    without = api.patch(path, {"expires_at": until}, if_match="*")
    extended = api.patch(path, {"expires_at": until, "reason": "The fault appears only at night"}, if_match="*")

    assert pointers(without) == ["#/reason"]
    assert datetime.fromisoformat(extended["expires_at"]) == datetime.fromisoformat(until)
    assert api.get(path).json == extended.json
    assert given.sql("SELECT before ->> 'reason', after ->> 'reason' FROM audit_events ORDER BY id DESC LIMIT 1") == [
        ("The test starts with this record", "The fault appears only at night")
    ]


def test_repeated_extensions_never_exceed_the_limit_from_now(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace(expires_at=ahead(hours=71))['id']}"
    given.time_passes(DAY)

    beyond = api.patch(path, {"expires_at": ahead(days=3, seconds=5), "reason": "Not finished yet"}, if_match="*")
    again = api.patch(path, {"expires_at": ahead(days=3, seconds=-5), "reason": "Not finished yet"}, if_match="*")

    assert pointers(beyond) == ["#/expires_at"]
    assert again.status == 200


def test_shortening_it_needs_no_reason_but_a_time_ahead(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"

    assert pointers(api.patch(path, {"expires_at": ahead(seconds=-1)}, if_match="*")) == ["#/expires_at"]
    assert api.patch(path, {"expires_at": ahead(minutes=1)}, if_match="*").status == 200


def test_a_patch_changes_only_the_fields_in_it(api, given):
    given.the_usual()
    before = given.a_workspace(base_url="https://debug.example.org").json
    path = f"{PATH}/{before['id']}"

    owned = api.patch(path, {"owner": "joe"}, if_match="*")
    cleared = api.patch(path, {"base_url": None}, if_match="*")
    nothing = api.patch(path, {}, if_match="*")

    assert owned.json == {**before, "owner": "joe"}
    assert cleared.json == nothing.json == {**before, "owner": "joe", "base_url": None}


@pytest.mark.parametrize("field", ["name", "environment", "purpose", "database", "state"])
def test_a_patch_of_a_fixed_field_is_refused(api, given, field):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"

    assert pointers(api.patch(path, {field: "debug"}, if_match="*")) == [f"#/{field}"]


def test_an_expired_workspace_cannot_change(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace(expires_at=ahead(hours=1))['id']}"
    given.time_passes(3601)
    before = api.get(path).json

    for change in ({"base_url": None}, {"expires_at": ahead(hours=2), "reason": "Not finished yet"}):
        answer = api.patch(path, change, if_match="*")

        assert (answer.status, answer.problem) == (409, "workspace-not-active")
    assert api.get(path).json == before


def test_an_extension_that_waits_beyond_the_expiry_is_refused(api, given, database_url):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"
    change = {"expires_at": ahead(hours=2), "reason": "Not finished yet"}

    with held(database_url, LOCK) as hold:
        given.sql("UPDATE workspaces SET expires_at = clock_timestamp() + interval '0.5 seconds'")
        extension = hold.waiting(lambda: api.patch(path, change, if_match="*"))
        eventually(lambda: given.sql("SELECT expires_at < clock_timestamp() FROM workspaces") == [(True,)])

    assert extension.result().problem == "workspace-not-active"
    assert api.get(path)["state"] == "expired"


def test_times_are_those_of_the_database(api, given):
    given.the_usual()

    created = given.a_workspace(expires_at=ahead(hours=1))

    told = datetime.fromisoformat(created["expires_at"]) - datetime.fromisoformat(created["created_at"])
    assert timedelta(minutes=59) < told <= timedelta(hours=1)
