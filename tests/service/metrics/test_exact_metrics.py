"""Compare the metrics with a slow, obvious reference, over random histories and windows."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.service.deployments.records import a_revision, an_artifact
from tests.service.metrics.reference import Deployed, Marked, Reference, Verified

START = datetime(2026, 1, 5, 22, tzinfo=UTC)
STEP = timedelta(hours=5)
MOST_STEPS = 30
ENVIRONMENTS = ("development", "preproduction", "production")
ARTIFACTS = tuple(an_artifact(name) for name in "ABCD")
COMMITS = tuple(a_revision(name) for name in "abcdefgh")
RATIOS = ("per_day", "median", "p90", "value")


class History(NamedTuple):
    environments: tuple[str, ...]
    deployments: list[Deployed]
    verifications: list[Verified]
    marks: list[Marked]


def made_up(random: Random) -> History:
    """Return a random history. Several events may happen at the same moment."""

    def moment() -> datetime:
        return START + random.randint(0, MOST_STEPS) * STEP

    deployments = [
        Deployed(
            id=number,
            # Most deployments go to one environment, so its histories are long. Another one may be the highest.
            environment=random.choice(["production"] * 8 + ["preproduction"] * 3 + ["development"]),
            workspace=random.choice(["default"] * 9 + ["jane"]),
            artifact=random.choice(ARTIFACTS),
            kind=random.choice(["rollout", "hotfix", "rollback"]),
            state=random.choice(["succeeded"] * 8 + ["failed", "cancelled"]),
            finished_at=moment(),
            late=random.random() < 0.2,
            commits={sha: moment() for sha in random.sample(COMMITS, random.choice([0, 0, 1, 1, 2, 3]))},
        )
        for number in range(1, random.choice([1, 2, 8, 14, 20, 26]))
    ]
    tested = random.sample(deployments, random.randint(0, len(deployments) // 2))
    verifications = [
        Verified(
            id=number,
            deployment=random.choice(tested).id,
            suite=random.choice(["acceptance", "smoke"]),
            trigger=random.choice(["deployment", "deployment", "deployment", "schedule", "manual"]),
            outcome=random.choice(["success", "success", "failure", "failure", "error", "cancelled"]),
            at=moment(),
        )
        for number in range(1, random.randint(1, 4 * len(tested) + 1))
    ]
    # An artifact has one mark that is not released.
    marks = {
        (each.artifact, released): Marked(
            each.artifact, each.finished_at + random.choice([-1, 0, 0, 1, 2, 3]) * STEP, released
        )
        for each in random.sample(deployments, random.randint(0, len(deployments) // 3))
        for released in [random.random() < 0.3]
    }
    environments = random.sample(ENVIRONMENTS, 3) if random.random() < 0.3 else ENVIRONMENTS
    return History(tuple(environments), deployments, verifications, [*marks.values()])


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 12))])
def test_metrics_match_the_definitions_in_every_window(api, given, seed):
    random = Random(seed)
    for _ in range(40):
        history = made_up(random)
        record(given, history)
        reference = Reference(*history)

        first, length = random.randint(0, MOST_STEPS), random.randint(1, MOST_STEPS)
        start, end = START + first * STEP, START + (first + length) * STEP
        answer = asked(api, start, end, "&per=day")

        waiting, expected = answer.pop("waiting"), reference.waiting(datetime.now(UTC))
        assert waiting.pop("oldest_seconds") == pytest.approx(expected.pop("oldest_seconds"), abs=60)
        assert waiting == expected
        assert answer.pop("environment") == history.environments[-1]
        periods = answer.pop("periods")
        assert answer == exactly(reference.metrics(start, end)), history
        assert [(each["from"], each["to"]) for each in periods] == [*days(start, end)]
        for period in periods:
            assert period == exactly(reference.metrics(period["from"], period["to"])), history
        for name in ("deployment_frequency", "change_lead_time_seconds", "failed_deployment_recovery_time_seconds"):
            assert sum(each[name]["sample_size"] for each in periods) == answer[name]["sample_size"]


def asked(api, start: datetime, end: datetime, more: str = "") -> dict[str, Any]:
    """Return the answer for a window, with its times decoded, and without what is the same in all answers."""
    window = f"from={quote(start.isoformat())}&to={quote(end.isoformat())}"
    answer = api.get(f"/v1/systems/azul/metrics?{window}{more}").json
    del answer["system"], answer["definition"]
    for each in (answer, *answer.get("periods", ())):
        each["from"], each["to"] = map(datetime.fromisoformat, (each["from"], each["to"]))
    return answer


def exactly(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the expected figures. A ratio may differ in its last digit."""
    return {
        name: {
            member: pytest.approx(value) if member in RATIOS and value is not None else value
            for member, value in figure.items()
        }
        if isinstance(figure, dict)
        else figure
        for name, figure in figures.items()
    }


def days(start: datetime, end: datetime):
    while start < end:
        midnight = (start + timedelta(days=1)).replace(hour=0)
        yield start, min(midnight, end)
        start = midnight


def record(given, history: History) -> None:
    """Replace all records by a history."""
    rows = json.dumps(
        {
            "environments": history.environments,
            "deployments": [{**vars(each), "commits": [*each.commits.items()]} for each in history.deployments],
            "verifications": [vars(each) for each in history.verifications],
            "marks": [vars(each) for each in history.marks],
        },
        default=lambda value: value.isoformat(),
    )
    given.sql(_RECORD, *[rows] * _RECORD.count("%s"))


_RECORD = """
    SET session_replication_role = replica;
    DELETE FROM systems; DELETE FROM environments; DELETE FROM deployments; DELETE FROM deployment_commits;
    DELETE FROM verifications; DELETE FROM holds;
    INSERT INTO systems (id, key, name, description, artifact_kind) OVERRIDING SYSTEM VALUE
    VALUES (1, 'azul', 'Azul', '', 'tree');
    INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
    SELECT 1, name, rank, false, 0, '{}'
    FROM json_array_elements_text(%s::json -> 'environments') WITH ORDINALITY AS its (name, rank) ORDER BY name;
    INSERT INTO deployments (id, system_id, environment_id, workspace, workspace_id, artifact, revision, kind, state,
        imported, late, commit_count, started_at, finished_at, issuer, created_by)
    OVERRIDING SYSTEM VALUE
    SELECT d.id, 1, e.id, workspace, CASE WHEN workspace <> 'default' THEN 1 END, artifact, lpad(d.id::text, 40, '0'),
        kind, state, true, late, json_array_length(commits), finished_at, finished_at, '', ''
    FROM json_to_recordset(%s::json -> 'deployments') AS d (id bigint, environment text, workspace text, artifact text,
        kind text, state text, late boolean, finished_at timestamptz, commits json)
        JOIN environments e ON e.name = d.environment;
    INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
    SELECT d.id, e.id, its ->> 0, (its ->> 1)::timestamptz
    FROM json_to_recordset(%s::json -> 'deployments') AS d (id bigint, environment text, commits json)
        JOIN environments e ON e.name = d.environment CROSS JOIN json_array_elements(commits) AS its;
    INSERT INTO verifications (id, system_id, deployment_id, environment_id, workspace, workspace_id, artifact, suite,
        trigger, outcome, started_at, finished_at, imported, issuer, created_by, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT v.id, 1, d.id, d.environment_id, d.workspace, d.workspace_id, d.artifact, suite, trigger, outcome, "at",
        "at", false, '', '', "at"
    FROM json_to_recordset(%s::json -> 'verifications') AS v (id bigint, deployment bigint, suite text, trigger text,
        outcome text, "at" timestamptz) JOIN deployments d ON d.id = v.deployment;
    INSERT INTO holds (system_id, kind, production, artifact, reason, starts_at, blocks_rollbacks, created_at, issuer,
        created_by, released_at, released_by, release_reason)
    SELECT 1, 'bad', false, artifact, 'It is', "at", false, "at", '', '',
        CASE WHEN released THEN now() END, CASE WHEN released THEN '' END, CASE WHEN released THEN 'It was not' END
    FROM json_to_recordset(%s::json -> 'marks') AS m (artifact text, "at" timestamptz, released boolean);
"""
