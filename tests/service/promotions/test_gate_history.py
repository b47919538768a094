"""Compare the gate with a simple implementation of the same rule, over random histories of records."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from tests.service.deployments.records import an_artifact

START = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENTS = ("development", "preproduction")
ARTIFACTS = tuple(an_artifact(name) for name in ("first", "second"))
SUITES = ("acceptance", "smoke")


class Deployed(NamedTuple):
    environment: str
    artifact: str
    state: str
    finished: int


class Verified(NamedTuple):
    environment: str
    artifact: str
    suite: str
    outcome: str
    started: int
    finished: int


def identity(event):
    """Return the values that no two records of a history share."""
    if isinstance(event, Deployed):
        return (event.environment, event.artifact, event.finished)
    return event


_minutes = st.integers(0, 30)
_deployments = st.builds(
    Deployed,
    st.sampled_from(ENVIRONMENTS),
    st.sampled_from(ARTIFACTS),
    st.sampled_from(["succeeded", "succeeded", "failed", "cancelled"]),
    _minutes,
)
_verifications = st.builds(
    lambda environment, artifact, suite, outcome, started, lasted: Verified(
        environment, artifact, suite, outcome, started, started + lasted
    ),
    st.sampled_from(ENVIRONMENTS),
    st.sampled_from(ARTIFACTS),
    st.sampled_from(SUITES),
    st.sampled_from(["success", "success", "success", "failure", "error", "cancelled"]),
    _minutes,
    st.integers(0, 5),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(
    history=st.lists(_deployments | _verifications, max_size=14, unique_by=identity),
    required=st.lists(st.sampled_from(SUITES), unique=True),
)
def test_the_decision_matches_the_words_of_the_rule(api, given, history, required):
    begin_anew(given, required)
    record(given, history)

    decisions = {
        artifact: api.post(
            "/v1/systems/azul/promotions",
            {"artifact": artifact, "environment": "preproduction", "dry_run": True},
        )["decision"]
        for artifact in ARTIFACTS
    }

    assert decisions == {
        artifact: "granted" if may_enter(artifact, history, required) else "denied" for artifact in ARTIFACTS
    }


def may_enter(artifact, history, required):
    """True if rule 1 of docs/registry/rules.md, without soak and age, lets the artifact enter preproduction."""
    succeeded = [
        (event.finished, order)
        for order, event in enumerate(history)
        if isinstance(event, Deployed)
        and event.environment == "development"
        and event.artifact == artifact
        and event.state == "succeeded"
    ]
    if not succeeded:
        return False
    deployed_at, _ = max(succeeded)
    latest = {}
    for event in sorted((each for each in history if isinstance(each, Verified)), key=lambda each: each.finished):
        if (
            event.environment == "development"
            and event.artifact == artifact
            and event.started >= deployed_at
            and event.outcome not in ("error", "cancelled")
        ):
            latest[event.suite] = event.outcome
    return bool(latest) and set(latest) >= set(required) and set(latest.values()) == {"success"}


def begin_anew(given, required):
    given.sql(
        """
        SET session_replication_role = replica;
        TRUNCATE systems, aws_accounts RESTART IDENTITY CASCADE;
        INSERT INTO systems (key, name, description, artifact_kind) VALUES ('azul', 'Azul', '', 'tree');
        INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
        VALUES (1, 'development', 1, false, 0, '{}'), (1, 'preproduction', 2, false, 0, %s)
        """,
        required,
    )


def record(given, history):
    """Insert the records of a history in order, with the times in the history."""
    for event in history:
        environment_id = ENVIRONMENTS.index(event.environment) + 1
        finished_at = START + timedelta(minutes=event.finished)
        if isinstance(event, Deployed):
            given.sql(
                """
                INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
                    started_at, finished_at, issuer, created_by)
                VALUES (1, %s, %s, 'rollout', %s, true, 0, %s, %s, '', '')
                """,
                environment_id,
                event.artifact,
                event.state,
                finished_at,
                finished_at,
            )
        else:
            given.sql(
                """
                INSERT INTO verifications (system_id, environment_id, artifact, suite, trigger, outcome,
                    started_at, finished_at, imported, issuer, created_by)
                VALUES (1, %s, %s, %s, 'manual', %s, %s, %s, false, '', '')
                """,
                environment_id,
                event.artifact,
                event.suite,
                event.outcome,
                START + timedelta(minutes=event.started),
                finished_at,
            )
