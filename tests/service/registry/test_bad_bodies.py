"""Hostile texts and unusual times in the bodies of records."""

from urllib.parse import quote

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.hostile import HOSTILE, HOSTILE_ASCII


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_returned_unchanged(api, given, text):
    reason = f"Because {text}."
    given.a_system("azul", name=text)
    given.an_environment()
    opened = api.post(
        "/v1/systems/azul/deployments",
        {"environment": "development", "artifact": an_artifact(), "detail": text, "override_reason": reason},
    )
    given.a_status(opened["id"], "succeeded", detail=text)

    deployment = api.get(f"/v1/systems/azul/deployments/{opened['id']}")
    statuses = api.get(f"/v1/systems/azul/deployments/{opened['id']}/statuses")
    state = api.get("/v1/systems/azul/state")

    assert (deployment["detail"], deployment["override_reason"]) == (text, reason)
    assert [each["detail"] for each in statuses["items"]] == [text, text]
    assert (state["name"], state["targets"][0]["current"]["detail"]) == (text, text)


@pytest.mark.parametrize("text", HOSTILE_ASCII.values(), ids=HOSTILE_ASCII)
def test_a_hostile_url_is_returned_unchanged(api, given, text):
    url = f"https://example.org/{text}"
    given.a_system_with_an_environment()
    opened = given.a_deployment(run_url=url, state="in_progress")
    busy = api.post("/v1/systems/azul/deployments", {"environment": "development", "artifact": an_artifact("second")})
    given.a_status(opened["id"], "succeeded")
    verification = given.a_verification(run_url=url)

    assert api.get(f"/v1/systems/azul/deployments/{opened['id']}")["run_url"] == url
    assert busy["holder"]["run_url"] == url
    assert api.get(verification.headers["Location"])["run_url"] == url


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+16:00"])
def test_a_time_may_have_any_offset(api, given, offset):
    # PostgreSQL refuses offsets of 16 hours or more, so the service converts times to UTC.
    given.the_usual()
    at = f"2026-01-02T00:00:00{offset}"
    commit = {"sha": "0" * 40, "authored_at": at}

    recorded = given.an_import(at=at, commits=[commit])

    assert recorded["finished_at"] == recorded["started_at"]
    assert recorded["started_at"].endswith("Z")
    assert given.sql("SELECT authored_at - %s::timestamptz = '0' FROM deployment_commits", recorded["started_at"]) == [
        (True,)
    ]
    assert [each["id"] for each in api.get(f"/v1/systems/azul/deployments?from={quote(at)}")["items"]] == [
        recorded["id"]
    ]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_the_years_1_to_9999_is_refused_by_name(api, given, at):
    # In UTC these times are in the years 10000 and 0. PostgreSQL would store them, but Python could not read them.
    given.the_usual()
    body = {"environment": "development", "artifact": an_artifact()}

    commit = api.post("/v1/systems/azul/deployments", {**body, "commits": [{"sha": "0" * 40, "authored_at": at}]})
    import_ = api.post(
        "/v1/systems/azul/deployments",
        {**body, "imported": True, "state": "failed", "started_at": at, "finished_at": at},
    )
    query = api.get(f"/v1/systems/azul/deployments?to={quote(at)}")

    assert "#/commits/0/authored_at" in _pointers(commit)
    assert {"#/started_at", "#/finished_at"} <= set(_pointers(import_))
    assert _pointers(query) == ["#/to"]
    assert [commit.status, import_.status, query.status] == [422] * 3


def _pointers(answer):
    return [fault["pointer"] for fault in answer["errors"]]
