"""Commits: those of a deployment, and where a commit is."""

import pytest

from chalicelib.commit_places import store
from chalicelib.commit_places.model import MOST_DELIVERIES, MOST_ENVIRONMENTS
from chalicelib.identity.roles import Role
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.expected import Expected
from tests.support.hostile import HOSTILE
from tests.support.largest import copy

EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/commits/{sha}": Role.viewer,
        "GET /v1/systems/{system}/deployments/{id}/commits": Role.viewer,
    },
    parameters={"sha": a_revision("first")},
)

FIRST, SECOND, THIRD = an_artifact("first"), an_artifact("second"), an_artifact("third")
PATH = "/v1/systems/azul/commits"


def commits(*names: str) -> list[dict[str, str]]:
    return [{"sha": a_revision(name), "authored_at": "2025-12-24T12:00:00Z", "subject": name} for name in names]


def deploys(given, day: int, artifact: str, *names: str, environment: str = "development", **fields) -> str:
    """Import a deployment; return its id."""
    at = f"2026-01-{day:02}T00:00:00Z"
    return given.an_import(artifact, environment=environment, at=at, commits=commits(*names), **fields)["id"]


def places(api, name: str) -> dict[str, tuple[bool | None, str | None, str | None]]:
    """Return for each environment if the commit is contained, since when, and by which deployment."""
    return {
        each["environment"]: (each["contained"], each["since"], each["brought_by"])
        for each in api.get(f"{PATH}/{a_revision(name)}")["environments"]
    }


NOWHERE = (False, None, None)


@pytest.mark.parametrize("subject", [*HOSTILE.values(), "", "\x01" * 200, "\U0001f600" * 200, None])
def test_a_commit_is_recorded_with_any_subject(api, given, subject):
    given.the_usual()
    commit = {**commits("a")[0], "subject": subject}

    opened = given.a_deployment(commits=[commit])["id"]

    assert api.get(f"/v1/systems/azul/deployments/{opened}/commits")["items"] == [commit]
    assert api.get(f"{PATH}/{commit['sha']}")["subject"] == subject


def test_a_subject_can_be_left_out(api, given):
    given.the_usual()
    commit = {name: value for name, value in commits("a")[0].items() if name != "subject"}

    opened = given.a_deployment(commits=[commit])["id"]

    assert api.get(f"/v1/systems/azul/deployments/{opened}/commits")["items"] == [{**commit, "subject": None}]


@pytest.mark.parametrize("subject", ["x" * 201, "\U0001f600" * 201, "a\0b", 7])
def test_a_subject_that_is_too_long_or_no_text_is_refused(api, given, subject):
    given.the_usual()

    answer = api.post(
        "/v1/systems/azul/deployments",
        {"environment": "development", "artifact": FIRST, "commits": [{**commits("a")[0], "subject": subject}]},
    )

    assert answer.status == 422


def test_a_deployments_commits_are_listed_last_authored_first(api, given):
    given.the_usual()
    listed = [
        {"sha": a_revision(name), "authored_at": f"2025-12-24T12:00:0{number}Z", "subject": name}
        for number, name in enumerate("abc")
    ]
    opened = given.a_deployment(commits=listed)["id"]
    other = given.a_deployment(SECOND, commits=commits("d"))["id"]

    path = f"/v1/systems/azul/deployments/{opened}/commits"
    first = api.get(f"{path}?limit=2")

    assert first["items"] == listed[:0:-1]
    assert api.get(f"{path}?limit=2&cursor={first['next']}")["items"] == listed[:1]
    assert api.get(f"/v1/systems/azul/deployments/{other}/commits")["items"] == commits("d")


def test_commits_of_an_unknown_deployment_are_not_found(api, given):
    given.the_usual()
    given.a_system("shop")
    opened = given.a_deployment(commits=commits("a"))["id"]

    for path in ("azul/deployments/999", "azul/deployments/x", f"shop/deployments/{opened}", "none/deployments/1"):
        assert api.get(f"/v1/systems/{path}/commits").problem == "not-found"


def test_a_commit_is_where_its_artifact_runs(api, given):
    given.the_usual()
    first = deploys(given, 1, FIRST, "a")
    second = deploys(given, 2, FIRST, "a", environment="preproduction")
    deploys(given, 3, SECOND, "b")

    answer = api.get(f"{PATH}/{a_revision('a')}")

    assert answer["sha"] == a_revision("a")
    assert (answer["authored_at"], answer["subject"]) == ("2025-12-24T12:00:00Z", "a")
    assert answer["more_environments"] is False
    assert places(api, "a") == {
        "development": (True, "2026-01-01T00:00:00Z", first),
        "preproduction": (True, "2026-01-02T00:00:00Z", second),
        "production": NOWHERE,
    }
    assert answer["environments"][1]["deliveries"] == [
        {
            "id": second,
            "workspace": "default",
            "artifact": FIRST,
            "kind": "rollout",
            "state": "succeeded",
            "started_at": "2026-01-02T00:00:00Z",
            "finished_at": "2026-01-02T00:00:00Z",
        }
    ]


def test_a_commit_comes_with_a_later_artifact(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, SECOND, "b")
    deploys(given, 3, THIRD, "c")
    skipped_to = deploys(given, 4, SECOND, environment="preproduction")
    deploys(given, 5, THIRD, environment="preproduction")

    assert places(api, "a")["preproduction"] == (True, "2026-01-04T00:00:00Z", skipped_to)
    assert places(api, "b")["preproduction"] == (True, "2026-01-04T00:00:00Z", skipped_to)


def test_a_rollback_takes_a_commit_out(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, SECOND, "b")
    assert places(api, "b")["development"][0] is True

    deploys(given, 3, FIRST, kind="rollback")
    assert places(api, "b")["development"] == NOWHERE

    deploys(given, 4, THIRD, "c")
    assert places(api, "b")["development"] == NOWHERE
    assert places(api, "a")["development"][:2] == (True, "2026-01-01T00:00:00Z")


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_an_attempt_that_did_not_succeed_is_listed_and_brings_nothing(api, given, state):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, SECOND, "b", state=state)

    [development, *_] = api.get(f"{PATH}/{a_revision('b')}")["environments"]

    assert (development["contained"], development["since"]) == (False, None)
    assert [each["state"] for each in development["deliveries"]] == [state]


def test_a_workspace_is_listed_and_brings_nothing_to_its_environment(api, given):
    given.the_usual()
    given.a_workspace("jane")
    given.a_deployment(commits=commits("a"), workspace="jane")

    [development, *_] = api.get(f"{PATH}/{a_revision('a')}")["environments"]

    assert development["contained"] is False
    assert [each["workspace"] for each in development["deliveries"]] == ["jane"]


def test_an_attempt_whose_lease_expired_reads_as_cancelled(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress", lease_seconds=60, commits=commits("a"))

    given.time_passes(61)

    [development, *_] = api.get(f"{PATH}/{a_revision('a')}")["environments"]
    assert [each["state"] for each in development["deliveries"]] == ["cancelled"]


def test_the_last_deliveries_are_listed(api, given):
    given.the_usual()
    ids = [deploys(given, 1 + day, an_artifact(str(day)), "a") for day in range(MOST_DELIVERIES + 1)]

    [development, *_] = api.get(f"{PATH}/{a_revision('a')}")["environments"]

    assert [each["id"] for each in development["deliveries"]] == ids[:0:-1]
    assert development["more_deliveries"] is True
    assert development["brought_by"] == ids[0]


@pytest.mark.parametrize("more", [False, True])
def test_the_first_environments_are_listed(api, given, more):
    given.a_system_with_an_environment()
    given.a_deployment(commits=commits("a"))
    copy(given, "environments", f", generate_series(2, {MOST_ENVIRONMENTS + more}) n", name="'e' || n", rank="n")

    answer = api.get(f"{PATH}/{a_revision('a')}")

    assert (len(answer["environments"]), answer["more_environments"]) == (MOST_ENVIRONMENTS, more)


def test_a_commit_of_an_environment_that_is_not_listed_is_described(api, given):
    given.a_system_with_an_environment()
    copy(given, "environments", f", generate_series(2, {MOST_ENVIRONMENTS + 1}) n", name="'e' || n", rank="n")
    given.an_environment("last", rank=99)
    deploys(given, 1, FIRST, "a", environment="last")

    answer = api.get(f"{PATH}/{a_revision('a')}")

    assert (answer.status, answer["authored_at"], answer["subject"]) == (200, "2025-12-24T12:00:00Z", "a")
    assert (len(answer["environments"]), answer["more_environments"]) == (MOST_ENVIRONMENTS, True)


def test_a_commit_of_too_many_deployments_ago_is_unknown(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    given.sql(
        f"""
        INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
            started_at, finished_at, issuer, created_by)
        SELECT 1, 1, 'tree:' || lpad(n::text, 40, '0'), 'rollout', 'succeeded', true, 0, at, at, '', ''
        FROM generate_series(1, {store.MOST_STEPS + 1}) AS n
            CROSS JOIN LATERAL (SELECT '2026-02-01'::timestamptz + n * interval '1 minute' AS at) AS finished
        """
    )

    assert places(api, "a")["development"] == (None, None, None)


@pytest.mark.parametrize("sha", ["latest", "A" * 40, "a" * 6, "a" * 65, "%F0%9F%9A%A2", "a" * 40 + "%0A", "%00" * 8])
def test_a_text_that_is_no_commit_is_not_found(api, given, sha):
    given.the_usual()

    assert api.get(f"{PATH}/{sha}").problem == "not-found"


def test_a_commit_that_no_deployment_of_the_system_recorded_is_not_found(api, given):
    given.the_usual()
    given.a_system("shop")
    given.an_environment(system="shop")
    given.a_deployment(system="shop", commits=commits("a"))

    assert api.get(f"{PATH}/{a_revision('a')}").problem == "not-found"
    assert api.get(f"/v1/systems/none/commits/{a_revision('a')}").problem == "not-found"
    assert api.get(f"/v1/systems/shop/commits/{a_revision('a')}").status == 200
