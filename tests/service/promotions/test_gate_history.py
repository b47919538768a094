"""Compare the gate with a simple implementation of the same rules, over random histories of records."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from tests.service.deployments.records import an_artifact

ENVIRONMENTS = ("development", "preproduction")
ARTIFACTS = tuple(an_artifact(name) for name in ("first", "second", "third"))
SUITES = ("acceptance", "smoke")


class Deployed(NamedTuple):
    """A deployment that finished at a minute. Each minute has at most one event."""

    environment: str
    artifact: str
    kind: str
    state: str


class Verified(NamedTuple):
    """A verification of the deployment that is so many deployments back."""

    back: int
    suite: str
    outcome: str


class Requirements(NamedTuple):
    soak: int
    age: int | None
    suites: tuple[str, ...]


_deployments = st.builds(
    Deployed,
    st.sampled_from(ENVIRONMENTS),
    st.sampled_from(ARTIFACTS),
    st.sampled_from(["rollout", "rollout", "hotfix", "rollback", "rollback"]),
    st.sampled_from(["succeeded", "succeeded", "succeeded", "failed", "cancelled"]),
)
_verifications = st.builds(
    Verified,
    st.sampled_from([0, 0, 0, 1, 2]),
    st.sampled_from(SUITES),
    st.sampled_from(["success", "success", "success", "failure", "error", "cancelled"]),
)
_requirements = st.builds(
    Requirements,
    st.integers(0, 5),
    st.none() | st.integers(1, 8),
    st.lists(st.sampled_from(SUITES), unique=True).map(tuple),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(history=st.lists(_deployments | _verifications, max_size=16), required=_requirements)
def test_the_decision_matches_the_words_of_the_rule(api, given, history, required):
    # The last event was half a minute ago, so no duration ends at the moment of the decision.
    start = datetime.now(UTC) - timedelta(minutes=len(history) - 1, seconds=30)
    begin_anew(given, required)
    record(given, history, start)

    decisions = {
        artifact: {
            (each["code"], each["suite"])
            for each in api.post(
                "/v1/systems/azul/promotions",
                {"artifact": artifact, "environment": "preproduction", "dry_run": True},
            )["blockers"]
        }
        for artifact in ARTIFACTS
    }

    assert decisions == {artifact: blockers(artifact, history, required) for artifact in ARTIFACTS}


def blockers(artifact, history, required):
    """Return the code and suite of each blocker that rule 1 of docs/registry/rules.md names for preproduction."""
    now = len(history) - 0.5
    there = [at for at, each in enumerate(history) if ran(each, "development") and each.artifact == artifact]
    if not there:
        return {("not-deployed", None)}
    deployed = there[-1]
    found = set()

    if any(goes_behind(artifact, history, at) for at in range(deployed + 1, len(history))):
        found.add(("rolled-back", None))

    verdicts = {}
    for at, event in enumerate(history):
        if (
            isinstance(event, Verified)
            and the_tested(history, at) == deployed
            and event.outcome in ("success", "failure")
        ):
            verdicts[event.suite] = (event.outcome, at)
    found |= {("not-verified", suite) for suite in set(required.suites) - verdicts.keys()}
    if not required.suites and not verdicts:
        found.add(("not-verified", None))
    found |= {("verification-failed", suite) for suite, (outcome, _) in verdicts.items() if outcome == "failure"}
    found |= {
        ("verification-expired", suite)
        for suite, (_, at) in verdicts.items()
        if required.age is not None and now - at > required.age and suite in (required.suites or verdicts)
    }

    later = [at for at in range(deployed + 1, len(history)) if ran(history[at], "development")]
    soaked = (later[0] if later else now) - deployed
    if soaked < required.soak:
        found.add(("soaking", None))
    return found


def ran(event, environment):
    return isinstance(event, Deployed) and (event.environment, event.state) == (environment, "succeeded")


def the_tested(history, at):
    """Return the place of the deployment that a verification is about."""
    deployments = [place for place in range(at) if isinstance(history[place], Deployed)]
    back = history[at].back
    return deployments[-1 - back] if len(deployments) > back else None


def goes_behind(artifact, history, at):
    """True if the event is a rollback from the artifact or a later one to an earlier one.

    The order is that of rollouts in the rollback's environment. If the artifact was never there, the order is that of
    development, through which artifacts go.
    """
    event = history[at]
    if not (isinstance(event, Deployed) and event.state == "succeeded" and event.kind == "rollback"):
        return False

    def place(of, environment):
        rollouts = [
            before
            for before in range(at)
            if ran(history[before], environment)
            and history[before].kind != "rollback"
            and history[before].artifact == of
        ]
        return rollouts[-1] if rollouts else None

    def known(of):
        if place(artifact, event.environment) is None and place(of, "development") is not None:
            return place(of, "development")
        return place(of, event.environment)

    before = [history[place].artifact for place in range(at) if ran(history[place], event.environment)]
    if not before or None in (known(artifact), known(event.artifact), known(before[-1])):
        return False
    return known(event.artifact) < known(artifact) <= known(before[-1])


def begin_anew(given, required):
    given.sql(
        """
        SET session_replication_role = replica;
        TRUNCATE systems, aws_accounts RESTART IDENTITY CASCADE;
        INSERT INTO systems (key, name, description, artifact_kind) VALUES ('azul', 'Azul', '', 'tree');
        INSERT INTO environments (
            system_id, name, rank, production, required_soak_seconds, verification_max_age_seconds, required_suites
        )
        VALUES (1, 'development', 1, false, 0, NULL, '{}'), (1, 'preproduction', 2, false, %s, %s, %s::text[])
        """,
        60 * required.soak,
        required.age and 60 * required.age,
        list(required.suites),
    )


def record(given, history, start):
    """Insert the records of a history, one a minute."""
    for at, event in enumerate(history):
        moment = start + timedelta(minutes=at)
        if isinstance(event, Deployed):
            given.sql(
                """
                INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
                    started_at, finished_at, issuer, created_by)
                VALUES (1, %s, %s, %s, %s, true, 0, %s, %s, '', '')
                """,
                ENVIRONMENTS.index(event.environment) + 1,
                event.artifact,
                event.kind,
                event.state,
                moment,
                moment,
            )
        elif the_tested(history, at) is not None:
            given.sql(
                """
                INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome,
                    started_at, finished_at, imported, issuer, created_by, created_at)
                SELECT 1, id, environment_id, artifact, %s, 'manual', %s, %s, %s, false, '', '', %s
                FROM deployments ORDER BY id DESC OFFSET %s LIMIT 1
                """,
                event.suite,
                event.outcome,
                moment,
                moment,
                moment,
                event.back,
            )
