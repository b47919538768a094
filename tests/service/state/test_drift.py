"""Drift: how far a target is behind the next lower environment, in commits and in time."""

from tests.service.deployments.records import a_revision, an_artifact

FIRST, SECOND, THIRD = an_artifact("first"), an_artifact("second"), an_artifact("third")


def commits(*names: str) -> list[dict[str, str]]:
    return [{"sha": a_revision(name), "authored_at": "2025-12-24T12:00:00Z"} for name in names]


def target_of(api, environment: str = "development") -> dict:
    targets = api.get("/v1/systems/azul/state")["targets"]
    return next(target for target in targets if target["environment"] == environment)


def drift_of(api, environment: str) -> tuple[int | None, int | None]:
    drift = target_of(api, environment)["drift"]
    return drift["commits"], drift["seconds"]


def test_the_lowest_environment_has_no_drift(api, given):
    given.the_usual()
    given.a_deployment(commits=commits("a"))

    assert target_of(api, "development")["drift"] is None


def test_the_same_artifact_in_both_is_no_drift_whenever_it_arrived(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-09T00:00:00Z", commits=commits("merge"))

    assert drift_of(api, "preproduction") == (0, 0)


def test_a_target_is_behind_by_what_came_after_its_artifact(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b", "c"))
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=commits("d"))

    assert drift_of(api, "preproduction") == (3, 2 * 86400)


def test_a_commit_that_a_workspace_has_is_still_to_come_to_its_environment(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b"))
    given.a_workspace("jane", environment="preproduction")
    given.an_import(
        SECOND,
        environment="preproduction",
        workspace="jane",
        started_at="2026-01-01T00:00:00Z",
        at="2026-01-01T03:00:00Z",
        commits=commits("b"),
    )

    assert drift_of(api, "preproduction")[0] == 1


def test_a_commit_that_two_deployments_deliver_counts_once(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b"))
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=commits("b", "c"))

    assert drift_of(api, "preproduction")[0] == 2


def test_a_failed_deployment_there_delivered_nothing(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", state="failed", commits=commits("b"))
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=commits("c"))

    assert drift_of(api, "preproduction")[0] == 1


def test_a_failed_deployment_here_delivered_nothing(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b"))
    given.an_import(
        SECOND, environment="preproduction", at="2026-01-02T06:00:00Z", state="failed", commits=commits("b")
    )
    given.an_import(FIRST, environment="preproduction", at="2026-01-02T09:00:00Z", commits=commits("a"))

    assert drift_of(api, "preproduction") == (1, 86400)


def test_a_hotfix_delivered_here_first_does_not_count(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.an_import(
        SECOND, environment="preproduction", at="2026-01-02T00:00:00Z", kind="hotfix", commits=commits("fix")
    )
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=commits("fix", "b"))

    assert drift_of(api, "preproduction") == (1, 86400)


def test_a_rollback_here_makes_the_target_behind(api, given):
    given.the_usual()
    for at, artifact, delivered in [("01", FIRST, "a"), ("02", SECOND, "b")]:
        given.an_import(artifact, at=f"2026-01-{at}T00:00:00Z", commits=commits(delivered))
        given.an_import(artifact, environment="preproduction", at=f"2026-01-{at}T06:00:00Z", commits=commits(delivered))

    given.an_import(FIRST, environment="preproduction", at="2026-01-03T00:00:00Z", kind="rollback")

    assert drift_of(api, "preproduction") == (1, 86400)


def test_a_rollback_there_leaves_nothing_to_come(api, given):
    given.the_usual()
    for at, artifact, delivered in [("01", FIRST, "a"), ("02", SECOND, "b")]:
        given.an_import(artifact, at=f"2026-01-{at}T00:00:00Z", commits=commits(delivered))
        given.an_import(artifact, environment="preproduction", at=f"2026-01-{at}T06:00:00Z", commits=commits(delivered))

    given.an_import(FIRST, at="2026-01-03T00:00:00Z", kind="rollback")

    assert drift_of(api, "preproduction")[0] == 0


def test_an_artifact_that_came_back_there_counts_from_its_last_deployment(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b"))
    given.an_import(FIRST, at="2026-01-03T00:00:00Z", commits=commits("revert of b"))
    given.an_import(FIRST, environment="preproduction", at="2026-01-03T06:00:00Z", commits=commits("a"))
    given.an_import(THIRD, at="2026-01-04T00:00:00Z", commits=commits("c"))

    assert drift_of(api, "preproduction") == (1, 86400)


def test_a_target_without_an_artifact_is_behind_by_everything_for_an_unknown_time(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b"))

    assert drift_of(api, "preproduction") == (2, None)


def test_without_an_artifact_there_the_drift_is_unknown(api, given):
    given.the_usual()
    given.an_import(FIRST, environment="preproduction", commits=commits("a"))

    assert drift_of(api, "preproduction") == (None, None)


def test_without_an_artifact_in_both_the_drift_is_unknown(api, given):
    given.the_usual()

    assert drift_of(api, "preproduction") == (None, None)


def test_without_recorded_commits_their_number_is_unknown(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z")
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z")
    given.an_import(SECOND, at="2026-01-02T00:00:00Z")

    assert drift_of(api, "preproduction") == (None, 86400)


def test_a_target_ahead_of_the_environment_before_has_no_drift(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
    given.an_import(SECOND, environment="preproduction", at="2026-01-02T00:00:00Z", commits=commits("a", "fix"))

    assert drift_of(api, "preproduction") == (0, 0)


def test_the_environment_before_is_the_next_lower_rank_that_exists(api, given):
    given.a_system()
    given.an_environment("development", rank=1)
    given.an_environment("production", rank=7)
    given.an_import(FIRST, environment="production")
    given.an_import(FIRST)

    assert target_of(api, "production")["drift"] == {
        "environment": "development",
        "commits": 0,
        "more_commits": False,
        "seconds": 0,
    }


def test_an_empty_environment_in_between_is_still_the_one_before(api, given):
    given.the_usual()
    given.an_import(FIRST)
    given.an_import(FIRST, environment="production")

    assert target_of(api, "production")["drift"] == {
        "environment": "preproduction",
        "commits": None,
        "more_commits": False,
        "seconds": None,
    }
