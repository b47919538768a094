"""`rollback_to` is the newest former artifact to which a rollback without an override is accepted (rule 2)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from chalicelib.state.model import MOST_FORMER
from tests.service.deployments.records import an_artifact
from tests.support.examples import examples

STATE = "/v1/systems/azul/state"
DEPLOYMENTS = "/v1/systems/azul/deployments"
FIRST, SECOND, THIRD = ARTIFACTS = tuple(an_artifact(name) for name in ("first", "second", "third"))

ROLLOUTS = [(FIRST, "rollout", "succeeded", []), (SECOND, "rollout", "succeeded", [])]

_deployments = st.tuples(
    st.sampled_from(ARTIFACTS),
    st.sampled_from(["rollout", "rollout", "hotfix", "rollback", "rollback"]),
    st.sampled_from(["succeeded", "succeeded", "succeeded", "failed"]),
    # The outcomes of verifications of this deployment, which come at its end.
    st.lists(st.sampled_from(["success", "failure", "error"]), max_size=2),
)
_holds = st.lists(st.sampled_from(["bad first", "bad second", "pin first", "pin third", "freeze"]), max_size=1)


def rollback_to(api, workspace="default"):
    return next(each["rollback_to"] for each in api.get(STATE)["targets"] if each["workspace"] == workspace)


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(history=st.lists(_deployments, min_size=3, max_size=8), holds=_holds)
@example(history=[*ROLLOUTS, (FIRST, "rollback", "succeeded", [])], holds=[])
@example(history=[*ROLLOUTS, (THIRD, "rollout", "succeeded", [])], holds=["bad second"])
def test_it_is_what_a_rollback_accepts(api, given, history, holds):
    begin_anew(given, holds)
    record(given, history)
    succeeded = [artifact for artifact, _, state, _ in history if state == "succeeded"]
    former = [each for each in dict.fromkeys(reversed(succeeded)) if each != succeeded[-1]]

    shown = rollback_to(api)

    accepted = (each for each in former if rolls_back(api, each))
    assert shown == next(accepted, None)


def test_it_is_null_without_a_former_artifact(api, given):
    given.a_system_with_an_environment()
    assert rollback_to(api) is None

    given.a_deployment(FIRST)
    given.a_deployment(FIRST)

    assert rollback_to(api) is None


def test_it_is_among_the_last_deployments(api, given):
    given.a_system_with_an_environment()
    given.an_import(FIRST)
    for day in range(1, MOST_FORMER):
        given.an_import(SECOND, at=f"2026-02-{day:02}T00:00:00Z")
    assert rollback_to(api) == FIRST

    given.an_import(SECOND, at="2026-03-01T00:00:00Z")

    assert rollback_to(api) is None


@pytest.mark.parametrize(
    ("freeze", "stopped"),
    [
        ({"blocks_rollbacks": True}, True),
        ({"blocks_rollbacks": False}, False),
        ({"environment": "development", "blocks_rollbacks": True}, True),
        ({"environment": "production", "blocks_rollbacks": True}, False),
        ({"production": True, "blocks_rollbacks": True}, False),
    ],
)
def test_a_freeze_that_stops_rollbacks_leaves_none(api, given, freeze, stopped):
    given.the_usual()
    given.a_deployment(FIRST)
    given.a_deployment(SECOND)

    given.a_freeze(**freeze)

    assert rollback_to(api) == (None if stopped else FIRST)
    assert rolls_back(api, FIRST) is not stopped


def test_holds_concern_no_workspace_and_an_expired_workspace_takes_no_rollback(api, given):
    given.a_system_with_an_environment()
    given.a_workspace("jane")
    given.a_deployment(FIRST, workspace="jane")
    given.a_deployment(SECOND, workspace="jane")
    given.a_freeze_over_systems(blocks_rollbacks=True)
    given.a_bad_mark(FIRST)
    assert rollback_to(api, "jane") == FIRST

    given.time_passes(2 * 86400)

    assert rollback_to(api, "jane") is None


def rolls_back(api, artifact):
    body = {"environment": "development", "artifact": artifact, "kind": "rollback"}
    answer = api.post(DEPLOYMENTS, body)
    assert answer.status == 201 or answer.problem == "rollback-refused"
    return answer.status == 201


def begin_anew(given, holds):
    given.sql(
        """
        SET session_replication_role = replica;
        TRUNCATE systems, aws_accounts RESTART IDENTITY CASCADE;
        INSERT INTO systems (key, name, description, artifact_kind) VALUES ('azul', 'Azul', '', 'tree');
        INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
        VALUES (1, 'development', 1, false, 0, '{}')
        """
    )
    for hold in holds:
        kind, _, name = hold.partition(" ")
        if kind == "freeze":
            given.a_freeze(blocks_rollbacks=True)
        elif kind == "pin":
            given.a_pin(artifact=an_artifact(name))
        else:
            given.a_bad_mark(an_artifact(name))


def record(given, history):
    """Insert the deployments of a history, one a minute."""
    start = datetime.now(UTC) - timedelta(hours=1)
    for at, (artifact, kind, state, outcomes) in enumerate(history):
        moment = start + timedelta(minutes=at)
        given.sql(
            """
            WITH d AS (
                INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
                    started_at, finished_at, issuer, created_by)
                VALUES (1, 1, %s, %s, %s, true, 0, %s, %s, '', '')
                RETURNING *
            )
            INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome,
                started_at, finished_at, imported, issuer, created_by)
            SELECT 1, d.id, 1, artifact, 'acceptance', 'manual', outcome, finished_at, finished_at + n * interval '1 s',
                true, '', ''
            FROM d, unnest(%s::text[]) WITH ORDINALITY AS ran (outcome, n)
            """,
            artifact,
            kind,
            state,
            moment,
            moment,
            outcomes,
        )
