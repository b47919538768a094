"""Compare changes, drift and the places of commits with a slow, obvious reference, over random histories."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import given as for_every
from hypothesis import strategies as st

from tests.service.deployments.records import a_revision, an_artifact
from tests.support.examples import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENTS = ("development", "preproduction", "production")
ARTIFACTS = tuple(an_artifact(name) for name in "ABCDE")
COMMITS = tuple(a_revision(name) for name in "abcdef")


class Deployed(NamedTuple):
    environment: str
    workspace: str
    artifact: str
    state: str
    finished: int
    commits: frozenset[str]


_deployments = st.builds(
    Deployed,
    # Most deployments go through the first two environments, so that histories have long chains.
    st.sampled_from([*ENVIRONMENTS[:2] * 3, *ENVIRONMENTS]),
    st.sampled_from(["default"] * 6 + ["jane"]),
    st.sampled_from(ARTIFACTS),
    st.sampled_from(["succeeded"] * 4 + ["failed", "cancelled"]),
    st.integers(0, 12),
    st.frozensets(st.sampled_from(COMMITS), max_size=3),
)
_histories = st.lists(_deployments, max_size=16, unique_by=lambda each: (*each[:3], each.finished))


class Reference:
    """The rule "What an artifact contains" of docs/registry/rules.md, word for word."""

    def __init__(self, history: list[Deployed]) -> None:
        # If two deployments finished at the same time, the order in which they were recorded counts.
        succeeded = [each for each in history if each.state == "succeeded" and each.workspace == "default"]
        self.history = sorted(succeeded, key=lambda each: each.finished)

    def current(self, environment: str) -> str | None:
        there = [each for each in self.history if each.environment == environment]
        return there[-1].artifact if there else None

    def first(self, environment: str, artifact: str) -> Deployed | None:
        there = {environment, before(environment)}
        return next((each for each in self.history if each.environment in there and each.artifact == artifact), None)

    def chain(self, environment: str, artifact: str | None) -> list[Deployed]:
        first = artifact and self.first(environment, artifact)
        if not first:
            return []
        earlier = self.history[: index_of(first, self.history)]
        ran_before = [each.artifact for each in earlier if each.environment == first.environment]
        return [first, *(self.chain(environment, ran_before[-1]) if ran_before else [])]

    def contains(self, environment: str, artifact: str | None) -> set[str]:
        return {sha for each in self.chain(environment, artifact) for sha in each.commits}

    def changes(self, environment: str, artifact: str | None):
        """Return the numbers and the commits of the answer."""
        head, base = self.chain(environment, artifact), self.chain(environment, self.current(environment))
        if not head:
            return None, set(), None, set()
        return (*self.lacked(environment, head, base), *self.lacked(environment, base, head))

    def lacked(self, environment: str, of: list[Deployed], by: list[Deployed]) -> tuple[int | None, set[str]]:
        """Return the commits of one chain that another one lacks, and their number."""
        commits = {sha for each in of for sha in each.commits} - {sha for each in by for sha in each.commits}
        alone = [each for each in of if not any(each is other for other in by)]
        is_known = not alone or any(each.commits for each in alone)
        return len(commits) if is_known else None, commits

    def since(self, environment: str, sha: str) -> int | None:
        """Return when the first deployment of the chain that brought a commit finished in the environment."""
        chain = self.chain(environment, self.current(environment))
        with_it = [
            each.artifact for place, each in enumerate(chain) if any(sha in older.commits for older in chain[place:])
        ]
        return min(
            (each.finished for each in self.history if each.environment == environment and each.artifact in with_it),
            default=None,
        )


def index_of(deployment: Deployed, history: list[Deployed]) -> int:
    return next(place for place, each in enumerate(history) if each is deployment)


def before(environment: str) -> str | None:
    rank = ENVIRONMENTS.index(environment)
    return ENVIRONMENTS[rank - 1] if rank else None


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_every(
    history=_histories,
    artifact=st.sampled_from([None, *ARTIFACTS]),
)
def test_answers_match_the_words_of_the_rule(api, given, history, artifact):
    begin_anew(given)
    record(given, history)
    reference = Reference(history)

    for environment in ENVIRONMENTS:
        below = before(environment)
        head = artifact or (below and reference.current(below))
        if artifact and not any(each.artifact == artifact for each in history):
            continue
        path = f"/v1/systems/azul/environments/{environment}/changes"
        answer = api.get(path + (f"?artifact={artifact}" if artifact else ""))
        assert (
            answer["ahead_by"],
            {each["sha"] for each in answer["commits"]},
            answer["behind_by"],
            {each["sha"] for each in answer["removed"]},
        ) == reference.changes(environment, head)
        assert not answer["more_commits"]
        assert not answer["more_removed"]

    targets = {each["environment"]: each for each in api.get("/v1/systems/azul/state")["targets"]}
    for environment in ENVIRONMENTS[1:]:
        expected = reference.changes(environment, reference.current(before(environment)))[0]
        assert targets[environment]["drift"]["commits"] == expected

    for sha in COMMITS:
        answer = api.get(f"/v1/systems/azul/commits/{sha}")
        if not any(sha in each.commits for each in history):
            assert answer.problem == "not-found"
            continue
        for place in answer["environments"]:
            environment = place["environment"]
            contained = sha in reference.contains(environment, reference.current(environment))
            assert place["contained"] is contained
            since = reference.since(environment, sha) if contained else None
            assert place["since"] == (None if since is None else f"{moment(since):%Y-%m-%dT%H:%M:%SZ}")
            assert len(place["deliveries"]) == min(
                10, sum(sha in each.commits and each.environment == environment for each in history)
            )


def moment(finished: int) -> datetime:
    return START + timedelta(minutes=finished)


def begin_anew(given) -> None:
    given.sql(
        """
        SET session_replication_role = replica;
        TRUNCATE systems, aws_accounts RESTART IDENTITY CASCADE;
        INSERT INTO systems (key, name, description, artifact_kind) VALUES ('azul', 'Azul', '', 'tree');
        INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
        SELECT 1, name, row_number() OVER (), false, 0, '{}' FROM unnest(%s) AS name
        """,
        list(ENVIRONMENTS),
    )


def record(given, history: list[Deployed]) -> None:
    """Insert the deployments with their commits, in order."""
    rows = json.dumps(
        [
            {
                "id": number,
                "environment_id": ENVIRONMENTS.index(each.environment) + 1,
                "workspace": each.workspace,
                "workspace_id": None if each.workspace == "default" else 1,
                "artifact": each.artifact,
                "state": each.state,
                "finished_at": moment(each.finished).isoformat(),
                "commits": sorted(each.commits),
            }
            for number, each in enumerate(history, 1)
        ]
    )
    given.sql(
        """
        SET session_replication_role = replica;
        INSERT INTO deployments (id, system_id, environment_id, workspace, workspace_id, artifact, kind, state,
            imported, commit_count, started_at, finished_at, issuer, created_by)
        OVERRIDING SYSTEM VALUE
        SELECT id, 1, environment_id, workspace, workspace_id, artifact, 'rollout', state, true,
            json_array_length(commits), finished_at, finished_at, '', ''
        FROM json_to_recordset(%s) AS d (id bigint, environment_id bigint, workspace text, workspace_id bigint,
            artifact text, state text, finished_at timestamptz, commits json);
        INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
        SELECT id, environment_id, sha, finished_at
        FROM json_to_recordset(%s) AS d (id bigint, environment_id bigint, finished_at timestamptz, commits json)
            CROSS JOIN json_array_elements_text(commits) AS sha
        """,
        rows,
        rows,
    )
