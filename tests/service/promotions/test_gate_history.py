"""Compare the gate with a simple implementation of the same rules, over random histories of records."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from chalicelib.holds.model import WEEKDAYS
from tests.service.deployments.records import an_artifact
from tests.support.examples import examples

ENVIRONMENTS = ("development", "preproduction")
ARTIFACTS = tuple(an_artifact(name) for name in ("first", "second", "third"))
SUITES = ("acceptance", "smoke")
ZONES = ("Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")


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


class Held(NamedTuple):
    """A hold. A freeze holds from one minute of the history to another one, perhaps every week in a time zone."""

    kind: str
    environment: str | None
    artifact: str
    begin: int
    end: int | None
    zone: str | None
    released: bool


class Approved(NamedTuple):
    """An approval of an artifact for preproduction."""

    artifact: str
    person: str
    withdrawn: bool


class Requirements(NamedTuple):
    soak: int
    age: int | None
    suites: tuple[str, ...]
    approvals: int


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
_holds = st.builds(
    Held,
    st.sampled_from(["freeze", "freeze", "pin", "bad"]),
    st.sampled_from([None, *ENVIRONMENTS]),
    st.sampled_from(ARTIFACTS),
    st.integers(0, 20),
    st.none() | st.integers(21, 30),
    st.none() | st.sampled_from(ZONES),
    st.booleans(),
)
_approvals = st.builds(Approved, st.sampled_from(ARTIFACTS), st.sampled_from(["jane", "joe"]), st.booleans())
_requirements = st.builds(
    Requirements,
    st.integers(0, 5),
    st.none() | st.integers(1, 8),
    st.lists(st.sampled_from(SUITES), unique=True).map(tuple),
    st.integers(0, 2),
)


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(
    history=st.lists(_deployments | _deployments | _verifications | _verifications | _holds | _approvals, max_size=20),
    required=_requirements,
    ahead=st.sampled_from([0, 0, 3, 10]),
)
def test_the_decision_matches_the_words_of_the_rules(api, given, history, required, ahead):
    # The last event was half a minute ago, so no duration ends at the moment of the decision.
    start = datetime.now(UTC) - timedelta(minutes=len(history) - 1, seconds=30)
    at = {"at": (start + timedelta(minutes=len(history) + ahead - 0.5)).isoformat()} if ahead else {}
    begin_anew(given, required)
    record(given, history, start)

    decisions = {
        artifact: sorted(
            (each["code"], each["suite"] or "")
            for each in api.post(
                "/v1/systems/azul/promotions",
                {"artifact": artifact, "environment": "preproduction", "dry_run": True, **at},
            )["blockers"]
        )
        for artifact in ARTIFACTS
    }

    now = len(history) + ahead - 0.5
    assert decisions == {
        artifact: sorted(
            [
                *blockers_before(artifact, history, required, now),
                *unapproved(artifact, history, required),
                *held(artifact, history, start, now),
            ],
        )
        for artifact in ARTIFACTS
    }


def unapproved(artifact, history, required):
    """Rule 15: so many people approve as are required, since the artifact was last deployed or marked bad."""
    ends = [
        at
        for at, each in enumerate(history)
        if (ran(each, "preproduction") or (isinstance(each, Held) and stands(history, at) and each.kind == "bad"))
        and each.artifact == artifact
    ]
    people = {
        each.person
        for each in history[max(ends, default=-1) + 1 :]
        if isinstance(each, Approved) and each.artifact == artifact and not each.withdrawn
    }
    return [("not-approved", "")] if len(people) < required.approvals else []


def held(artifact, history, start, now):
    """Rule 14: no freeze, no pin to another artifact, no bad mark."""
    moment = start + timedelta(minutes=now)
    for at, hold in enumerate(history):
        if not isinstance(hold, Held) or not stands(history, at) or hold.released:
            continue
        if hold.kind == "freeze" and hold.environment in (None, "preproduction"):
            begin, end = period(hold, start)
            if begin <= moment and (end is None or moment < end):
                yield ("frozen", "")
        elif hold.kind == "pin" and hold.environment == "preproduction" and hold.artifact != artifact:
            yield ("pinned", "")
        elif hold.kind == "bad" and hold.artifact == artifact:
            yield ("marked-bad", "")


def stands(history, at):
    """True if the hold can be set: an environment has one pin, and an artifact one bad mark, until the release."""
    hold = history[at]
    if hold.kind == "freeze":
        return True
    if hold.kind == "pin" and hold.environment is None:
        return False
    return not any(
        isinstance(before, Held)
        and before.kind == hold.kind
        and not before.released
        and not hold.released
        and (before.environment == hold.environment if hold.kind == "pin" else before.artifact == hold.artifact)
        for before in history[:at]
    )


def period(hold, start):
    """Return the begin and the end of a freeze. One that repeats begins and ends with a minute."""
    begin = start + timedelta(minutes=hold.begin)
    end = None if hold.end is None else start + timedelta(minutes=hold.end)
    if hold.zone is not None and end is not None:
        return begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    return begin, end


def blockers_before(artifact, history, required, now):
    """Rule 1: return the code and suite of each blocker that is about development."""
    there = [at for at, each in enumerate(history) if ran(each, "development") and each.artifact == artifact]
    if not there:
        return {("not-deployed", "")}
    deployed = there[-1]
    found = set()

    if any(goes_behind(artifact, history, at) for at in range(deployed + 1, len(history))):
        found.add(("rolled-back", ""))

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
        found.add(("not-verified", ""))
    found |= {("verification-failed", suite) for suite, (outcome, _) in verdicts.items() if outcome == "failure"}
    found |= {
        ("verification-expired", suite)
        for suite, (_, at) in verdicts.items()
        if required.age is not None and now - at > required.age and suite in (required.suites or verdicts)
    }

    later = [at for at in range(deployed + 1, len(history)) if ran(history[at], "development")]
    soaked = (later[0] if later else now) - deployed
    if soaked < required.soak:
        found.add(("soaking", ""))
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
            system_id, name, rank, production, required_soak_seconds, verification_max_age_seconds, required_suites,
            required_approvals
        )
        VALUES (1, 'development', 1, false, 0, NULL, '{}', 0), (1, 'preproduction', 2, false, %s, %s, %s::text[], %s)
        """,
        60 * required.soak,
        required.age and 60 * required.age,
        list(required.suites),
        required.approvals,
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
        elif isinstance(event, Held):
            if stands(history, at):
                hold(given, event, start, moment)
        elif isinstance(event, Approved):
            given.sql(
                """
                INSERT INTO approvals (
                    system_id, environment_id, artifact, created_at, issuer, created_by, withdrawn_at, withdrawn_by
                )
                VALUES (1, 2, %s, %s, 'i', %s, %s, %s)
                """,
                event.artifact,
                moment,
                event.person,
                moment if event.withdrawn else None,
                event.person if event.withdrawn else None,
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


def hold(given, event, start, moment):
    begin, end = period(event, start)
    recurrence = None
    if event.kind == "freeze" and event.zone is not None and end is not None:
        local, until = (each.astimezone(ZoneInfo(event.zone)) for each in (begin, end))
        recurrence = json.dumps(
            {
                "by_day": [WEEKDAYS[local.weekday()]],
                "from": f"{local:%H:%M}",
                "to": f"{until:%H:%M}",
                "days": (until.date() - local.date()).days,
                "time_zone": event.zone,
            }
        )
        begin, end = begin - timedelta(days=30), None
    of_freeze = event.kind == "freeze"
    given.sql(
        """
        INSERT INTO holds (system_id, environment_id, kind, production, artifact, reason, starts_at, ends_at,
            recurrence, blocks_rollbacks, created_at, issuer, created_by, released_at, released_by, release_reason)
        VALUES (1, %s, %s, false, %s, 'A reason', %s, %s, %s, false, %s, 'i', 'jane', %s, %s, %s)
        """,
        None if event.kind == "bad" or event.environment is None else ENVIRONMENTS.index(event.environment) + 1,
        event.kind,
        None if of_freeze else event.artifact,
        begin if of_freeze else moment,
        end if of_freeze else None,
        recurrence,
        moment,
        *((moment, "jane", "A reason") if event.released else (None, None, None)),
    )
