"""Changes: the commits that a promotion would bring, and those that it would remove."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.upcoming_changes import store
from chalicelib.upcoming_changes.model import MOST_COMMITS
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.expected import Expected
from tests.support.growth import pages_read

EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/environments/{environment}/changes": Role.viewer,
    },
)

FIRST, SECOND, THIRD, FIX = (an_artifact(name) for name in ("first", "second", "third", "fix"))
PATH = "/v1/systems/azul/environments/preproduction/changes"


def commits(*names: str) -> list[dict[str, str]]:
    return [
        {"sha": a_revision(name), "authored_at": f"2025-12-24T12:00:{59 - number:02}Z", "subject": name}
        for number, name in enumerate(names)
    ]


def numbered(*numbers: int) -> list[dict[str, str]]:
    return [{"sha": f"{number:040x}", "authored_at": "2025-12-24T12:00:00Z"} for number in numbers]


def deploys(given, day: int, artifact: str, *names: str, environment: str = "development", **fields) -> None:
    at = f"2026-01-{day:02}T00:00:00Z"
    given.an_import(artifact, environment=environment, at=at, commits=commits(*names), **fields)


def difference(api, query: str = "") -> tuple[list[str], list[str]]:
    """Return the subjects of the commits that a promotion brings, and of those that it removes."""
    answer = api.get(PATH + query)
    brought, removed = ([each["subject"] for each in answer[name]] for name in ("commits", "removed"))
    assert (answer["ahead_by"], answer["behind_by"]) == (len(brought), len(removed))
    assert not answer["more_commits"]
    assert not answer["more_removed"]
    return brought, removed


def test_a_promotion_brings_what_came_after_the_artifact_that_runs(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a", revision=a_revision("a"))
    deploys(given, 2, FIRST, "a", environment="preproduction", revision=a_revision("merge"))
    deploys(given, 3, SECOND, "c", "b", revision=a_revision("c"))
    deploys(given, 4, THIRD, "d", revision=a_revision("d"))

    answer = api.get(PATH)

    assert answer.json == {
        "base": {"artifact": FIRST, "revision": a_revision("merge")},
        "head": {"artifact": THIRD, "revision": a_revision("d")},
        "ahead_by": 3,
        "more_commits": False,
        "commits": [
            {"sha": each["sha"], "authored_at": each["authored_at"], "subject": each["subject"]}
            for each in [*commits("d"), *commits("c", "b")]
        ],
        "behind_by": 0,
        "more_removed": False,
        "removed": [],
        "compare_url": None,
    }


def test_the_artifact_can_be_chosen(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, FIRST, environment="preproduction")
    deploys(given, 3, SECOND, "b")
    deploys(given, 4, THIRD, "c")

    assert difference(api, f"?artifact={SECOND}") == (["b"], [])
    assert difference(api, f"?artifact={SECOND[:12]}") == (["b"], [])


def test_an_older_artifact_removes_commits(api, given):
    given.the_usual()
    for day, artifact, name in [(1, FIRST, "a"), (2, SECOND, "b")]:
        deploys(given, day, artifact, name)
        deploys(given, day, artifact, environment="preproduction")

    assert difference(api, f"?artifact={FIRST}") == ([], ["b"])


def test_a_rollback_there_takes_commits_back(api, given):
    given.the_usual()
    for day, artifact, name in [(1, FIRST, "a"), (2, SECOND, "b")]:
        deploys(given, day, artifact, name)
        deploys(given, day, artifact, environment="preproduction")
    deploys(given, 3, FIRST, kind="rollback")

    assert difference(api) == ([], ["b"])


def test_a_deployment_after_a_rollback_builds_on_what_was_rolled_back_to(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, SECOND, "b")
    deploys(given, 3, FIRST, kind="rollback")
    deploys(given, 4, THIRD, "c")

    assert difference(api) == (["c"], [])


def test_a_rollback_here_makes_the_commits_changes_again(api, given):
    given.the_usual()
    for day, artifact, name in [(1, FIRST, "a"), (2, SECOND, "b")]:
        deploys(given, day, artifact, name)
        deploys(given, day, artifact, environment="preproduction")
    deploys(given, 3, FIRST, environment="preproduction", kind="rollback")

    assert difference(api) == (["b"], [])


def test_a_hotfix_that_the_environment_before_never_had_is_removed(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, FIX, "fix", environment="preproduction", kind="hotfix")
    deploys(given, 3, SECOND, "b")

    assert difference(api) == (["b"], ["fix"])


def test_a_hotfix_that_came_back_is_not_removed(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, FIX, "fix", environment="preproduction", kind="hotfix")
    deploys(given, 3, SECOND, "b", "fix")

    assert difference(api) == (["b"], [])


def test_commits_of_merges_of_one_artifact_are_no_difference(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, FIRST, "a", "merge of a", environment="preproduction")
    deploys(given, 3, SECOND, "b")

    assert difference(api) == (["b"], [])


def test_a_commit_that_was_delivered_long_ago_too_is_no_change(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, SECOND, "b")
    deploys(given, 2, SECOND, environment="preproduction")
    deploys(given, 3, THIRD, "a", "c")

    assert difference(api) == (["c"], [])


def test_a_commit_that_was_rolled_back_long_ago_is_a_change(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, FIX, "b")
    deploys(given, 3, FIRST, kind="rollback")
    deploys(given, 4, SECOND, "c")
    deploys(given, 4, SECOND, environment="preproduction")
    deploys(given, 5, THIRD, "b")

    assert difference(api) == (["b"], [])


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_an_attempt_that_did_not_succeed_delivered_nothing(api, given, state):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, SECOND, "b", state=state)

    assert difference(api) == ([], [])


def test_attempts_and_workspaces_before_the_first_success_do_not_count(api, given):
    given.the_usual()
    given.a_workspace("jane")
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, SECOND, "b", state="failed")
    deploys(given, 3, SECOND, "c", workspace="jane")
    deploys(given, 4, SECOND, "d")
    deploys(given, 5, SECOND, "e")

    assert difference(api) == (["d"], [])


def test_an_empty_environment_gets_everything(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 2, SECOND, "b")

    assert difference(api) == (["b", "a"], [])
    assert api.get(PATH)["base"] is None


def test_without_an_artifact_to_promote_all_is_unknown(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a", environment="preproduction")

    for environment in ("development", "preproduction"):
        answer = api.get(f"/v1/systems/azul/environments/{environment}/changes")
        assert [answer[name] for name in ("head", "ahead_by", "behind_by", "compare_url")] == [None] * 4
        assert answer["commits"] == answer["removed"] == []


def test_an_artifact_that_ran_elsewhere_only_is_unknown(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a", environment="preproduction")
    deploys(given, 1, SECOND, "b", environment="production")

    answer = api.get(f"{PATH}?artifact={SECOND}")

    assert answer["head"] == {"artifact": SECOND, "revision": None}
    assert (answer["ahead_by"], answer["behind_by"]) == (None, None)


def test_without_recorded_commits_a_number_is_unknown(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, FIX, environment="preproduction", kind="hotfix")
    deploys(given, 3, SECOND)

    answer = api.get(PATH)

    assert (answer["ahead_by"], answer["behind_by"]) == (None, None)


def test_the_comparison_of_the_revisions_is_linked(api, given):
    given.a_system(repository="https://github.com/acme/azul")
    given.an_environment("development")
    given.an_environment("preproduction")
    deploys(given, 1, FIRST, environment="preproduction", revision="1" * 40)
    deploys(given, 2, SECOND, revision="2" * 40)

    assert api.get(PATH)["compare_url"] == f"https://github.com/acme/azul/compare/{'1' * 40}...{'2' * 40}"


@pytest.mark.parametrize(("count", "more"), [(MOST_COMMITS, False), (MOST_COMMITS + 1, True)])
def test_only_the_last_commits_count(api, given, count, more):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=numbered(*range(1, 51)))
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=numbered(*range(51, count + 1)))

    ahead = api.get(PATH)
    given.an_import(THIRD, environment="preproduction", at="2026-01-04T00:00:00Z")
    removed = api.get(f"{PATH}?artifact={FIRST}")

    assert (ahead["ahead_by"], len(ahead["commits"]), ahead["more_commits"]) == (100, 100, more)
    assert (ahead["behind_by"], ahead["more_removed"]) == (0, False)
    assert (removed["behind_by"], len(removed["removed"]), removed["more_removed"]) == (100, 100, more)


@pytest.mark.slow
def test_a_comparison_stops_after_many_artifacts(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    given.sql(
        f"""
        INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
            started_at, finished_at, issuer, created_by)
        SELECT 1, 1, 'tree:' || lpad(n::text, 40, '0'), 'rollout', 'succeeded', true, 0, at, at, '', ''
        FROM generate_series(1, {store.MOST_STEPS + 1}) AS n
            CROSS JOIN LATERAL (SELECT '2026-02-01'::timestamptz + n * interval '1 minute' AS at) AS finished
        """
    )

    answer = api.get(PATH)

    assert answer["ahead_by"] is None
    assert answer["more_commits"] is answer["more_removed"] is True


@pytest.mark.slow
def test_the_cost_does_not_grow_with_other_deployments(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")
    deploys(given, 1, FIRST, environment="preproduction")
    deploys(given, 2, SECOND, "b")
    few = read(given)
    given.sql(
        """
        INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
            started_at, finished_at, issuer, created_by)
        SELECT 1, e, 'tree:' || lpad(n::text, 40, '0'), 'rollout', 'succeeded', true, 2, at, at, '', ''
        FROM generate_series(1, 5000) AS n CROSS JOIN generate_series(1, 3) AS e
            CROSS JOIN LATERAL (SELECT '2025-01-01'::timestamptz + n * interval '1 minute' AS at) AS finished;
        INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
        SELECT id, environment_id, lpad(md5(artifact || n), 40, '0'), finished_at
        FROM deployments CROSS JOIN generate_series(1, 2) AS n WHERE finished_at < '2026-01-01'
        """
    )

    many = read(given)

    assert difference(api) == (["b"], [])
    assert many < 3 * few


def read(given) -> int:
    names = {"head": SECOND, "base": FIRST, "environment": 2, "before": 1}
    statement = store._DIFFERENCE
    for name, value in names.items():
        statement = statement.replace(f"%({name})s", repr(value))
    return pages_read(given, statement)


def test_what_is_unknown_is_not_found(api, given):
    given.the_usual()
    deploys(given, 1, FIRST, "a")

    assert api.get("/v1/systems/azul/environments/missing/changes").problem == "not-found"
    assert api.get("/v1/systems/missing/environments/preproduction/changes").problem == "not-found"
    assert api.get(f"{PATH}?artifact={SECOND}").problem == "not-found"
    assert api.get(f"{PATH}?artifact=latest").problem == "invalid"


def test_another_systems_records_do_not_count(api, given):
    given.the_usual()
    given.a_system("shop")
    given.an_environment("development", system="shop")
    given.an_environment("preproduction", system="shop")
    deploys(given, 1, FIRST, "a", system="shop")

    assert api.get(PATH)["head"] is None
    assert api.get(f"{PATH}?artifact={FIRST}").problem == "not-found"


def test_a_late_import_is_in_no_chain_of_artifacts(api, given):
    """SECOND ran before FIRST only according to a late import, so FIRST is not made from it."""
    given.the_usual()
    given.a_deployment(FIRST, commits=commits("a"))
    deploys(given, 2, SECOND)
    given.a_deployment(SECOND, commits=commits("b"))

    assert difference(api, f"?artifact={FIRST}") == (["a"], [])
    assert difference(api, f"?artifact={SECOND}") == (["b", "a"], [])
