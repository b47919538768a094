"""The overview counts commits as the state of a system does, and stops earlier."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from tests.service.deployments.records import an_artifact
from tests.support.examples import examples
from tests.support.largest import copy

MOST_STEPS = 30

_histories = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 2]),
        st.integers(1, 5),
        st.sampled_from(["succeeded", "succeeded", "succeeded", "failed"]),
        st.sets(st.integers(1, 6), max_size=3),
    ),
    min_size=2,
    max_size=16,
)


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(history=_histories)
def test_the_number_is_that_of_the_comparison(given, history):
    deployments = ", ".join(
        f"(1, {environment}, 'tree:{artifact:040}', 'rollout', '{state}', true, {len(commits)}, "
        f"'2026-01-01T{at:02}:00:00Z', '2026-01-01T{at:02}:00:00Z', '', '')"
        for at, (environment, artifact, state, commits) in enumerate(history)
    )
    delivered = ", ".join(
        ["(0, 0, NULL, now())"]
        + [
            f"({at}, {environment}, '{commit:040}', '2026-01-01'::timestamptz - {commit} * '1 h'::interval)"
            for at, (environment, _, _, commits) in enumerate(history, start=1)
            for commit in commits
        ]
    )
    found = given.sql(
        f"""
        SET session_replication_role = replica;
        TRUNCATE systems, aws_accounts, deployments, deployment_commits RESTART IDENTITY CASCADE;
        INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
            started_at, finished_at, issuer, created_by) VALUES {deployments};
        INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
            SELECT * FROM (VALUES {delivered}) AS delivered WHERE column1 > 0;
        SELECT head, base, count_commits_ahead(head, base, 2, 1),
            (SELECT ahead_by FROM compare_artifacts(head, base, 2, 1, 200, false))
        FROM (SELECT DISTINCT artifact FROM deployments) AS heads (head),
            (SELECT DISTINCT artifact FROM deployments UNION ALL SELECT NULL) AS bases (base)
        """
    )

    assert [row for row in found if row[2] != row[3]] == []


@pytest.mark.parametrize("more", [0, 1])
def test_the_number_is_unknown_beyond_a_number_of_deployments(api, given, more):
    given.the_usual()
    old, new = an_artifact("old"), an_artifact("new")
    given.an_import(old, at="2026-01-01T00:00:00Z")
    given.an_import(old, environment="preproduction", at="2026-01-01T00:00:00Z")
    commit = [{"sha": "a" * 40, "authored_at": "2025-12-24T12:00:00Z"}]
    first = given.an_import(an_artifact("first"), at="2026-01-02T00:00:00Z", commits=commit)["id"]
    copy(
        given,
        "deployments",
        f", generate_series(2, {MOST_STEPS - 1 + more}) AS n WHERE t.id = {first}",
        artifact="'tree:' || to_char(n, 'FM' || repeat('0', 40))",
        finished_at="t.finished_at + n * '1 minute'::interval",
        commit_count="0",
    )
    given.an_import(new, at="2026-01-03T00:00:00Z")

    [system] = api.get("/v1/overview")["items"]

    assert system["environments"][1].get("commits_behind") == (None if more else 1)
    assert api.get("/v1/systems/azul/state")["targets"][1]["drift"]["commits"] == 1
