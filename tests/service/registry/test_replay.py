"""Replay azul's 197 real deployments through the API, and compare the API's answers with the history."""

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import groupby, pairwise

import pytest
from psycopg2.extensions import parse_dsn

from tests.support.api import Api
from tests.support.contract import Contract
from tests.support.postgres import Clones
from tests.support.stage import local_stage
from tools.local.registry.replay import HISTORY, Send, Summary, read_history, replay

ENVIRONMENTS = ["dev", "integration", "staging", "prod"]
DEPLOYMENTS = "/v1/systems/azul/deployments"


def sender(api: Api) -> Send:
    def send(method, path, body):
        answer = api.send(method, path, body)
        return answer.status, answer.json

    return send


@pytest.fixture(scope="module")
def replayed(clones: Clones, contract: Contract) -> Iterator[tuple[str, Summary]]:
    """The address of a database after a replay, and the replay's summary."""
    address = clones.new()
    with local_stage(address):
        summary = replay(sender(Api(contract).as_("admin")), *read_history())
    yield address, summary
    clones.drop(address)


@pytest.fixture
def database_url(clones: Clones, replayed: tuple[str, Summary]) -> Iterator[str]:
    """The address of a copy of the replayed database, for one test."""
    address = clones.new(template=parse_dsn(replayed[0])["dbname"])
    yield address
    clones.drop(address)


@pytest.fixture(scope="module")
def history() -> list[dict[str, str]]:
    """The lines of deployments.ndjson, oldest first, read without the code of the replay."""
    lines = (HISTORY / "deployments.ndjson").read_text().splitlines()
    return sorted(map(json.loads, lines), key=lambda line: line["deployed_at"])


def all_items(api: Api, path: str) -> list[dict]:
    """Return the items of all pages of a list."""
    answer = api.get(path)
    items = answer["items"]
    while cursor := answer["next"]:
        answer = api.get(f"{path}&cursor={cursor}")
        items += answer["items"]
    return items


def facts(deployment: dict) -> tuple[str, str, str, datetime]:
    return (
        deployment["environment"],
        deployment["artifact"],
        deployment["revision"],
        datetime.fromisoformat(deployment["finished_at"]),
    )


def written(line: dict[str, str]) -> tuple[str, str, str, datetime]:
    """Return the expected `facts` for a line of deployments.ndjson."""
    return line["environment"], f"tree:{line['tree']}", line["sha"], datetime.fromisoformat(line["deployed_at"])


@cache
def parents() -> dict[str, list[str]]:
    lines = (HISTORY / "commits.ndjson").read_text().splitlines()
    return {line["sha"]: line["parents"] for line in map(json.loads, lines)}


def ancestors(sha: str) -> set[str]:
    found, ahead = set(), [sha]
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead.extend(parents()[each])
    return found


def test_the_whole_history_is_recorded(replayed, history):
    assert replayed[1] == Summary(recorded=197, known=0)
    assert len(history) == 197


def test_a_second_replay_changes_nothing(api, given):
    before = given.sql("SELECT * FROM deployments ORDER BY id"), given.sql("SELECT count(*) FROM audit_events")

    summary = replay(sender(api), *read_history())

    assert summary == Summary(recorded=0, known=197)
    assert before == (
        given.sql("SELECT * FROM deployments ORDER BY id"),
        given.sql("SELECT count(*) FROM audit_events"),
    )


def test_a_stopped_replay_can_be_resumed(api, given):
    deployments, graph = read_history()
    given.sql("SET session_replication_role = replica; TRUNCATE deployments CASCADE")
    stopped = replay(sender(api), deployments[:3], graph)

    resumed = replay(sender(api), deployments[:6], graph)

    assert (stopped, resumed) == (Summary(recorded=3, known=0), Summary(recorded=3, known=3))


def test_the_state_is_the_end_of_the_history(api, history):
    last = {line["environment"]: written(line) for line in history}

    targets = api.get("/v1/systems/azul/state")["targets"]

    assert [target["environment"] for target in targets] == ENVIRONMENTS
    for target in targets:
        assert facts(target["current"]) == last[target["environment"]]
        assert target["last_attempt"] == target["current"]


def test_the_drift_matches_the_commit_graph(api, history):
    last = {line["environment"]: line for line in history}
    trees = {name: [line["tree"] for line in history if line["environment"] == name] for name in ENVIRONMENTS}
    # Drift counts the commits that staging received after the tree that runs in prod, except commits that prod has.
    # Each branch has its own merge commits, so the same tree has different commits in staging and in prod.
    left_at = max(index for index, tree in enumerate(trees["staging"]) if tree == last["prod"]["tree"])
    passed = [line for line in history if line["environment"] == "staging"][left_at]
    behind = ancestors(last["staging"]["sha"]) - ancestors(passed["sha"]) - ancestors(last["prod"]["sha"])

    drift = {target["environment"]: target["drift"] for target in api.get("/v1/systems/azul/state")["targets"]}

    assert drift["dev"] is None
    assert drift["prod"] == {
        "environment": "staging",
        "commits": len(behind),
        "more_commits": False,
        "seconds": (written(last["staging"])[3] - written(passed)[3]).total_seconds(),
    }


def test_all_commits_are_delivered_once_to_an_environment(given, history):
    delivered = given.sql(
        "SELECT e.name, c.sha FROM deployment_commits c JOIN environments e ON e.id = c.environment_id"
    )

    assert set(Counter(delivered).values()) == {1}
    for environment in ENVIRONMENTS:
        shas = [line["sha"] for line in history if line["environment"] == environment]
        assert {sha for name, sha in delivered if name == environment} == set().union(*map(ancestors, shas))


def test_an_artifact_lists_its_deployments_in_all_environments(api, history):
    by_tree = {}
    for line in history:
        by_tree.setdefault(line["tree"], []).append(line)
    tree, way = max(by_tree.items(), key=lambda entry: len({line["environment"] for line in entry[1]}))
    assert len(way) == 4

    artifact = api.get(f"/v1/systems/azul/artifacts/tree:{tree}")

    assert [facts(deployment) for deployment in reversed(artifact["deployments"])] == [written(line) for line in way]
    assert artifact["verifications"] == []
    assert [
        (decision["environment"], [blocker["code"] for blocker in decision["blockers"]])
        for decision in artifact["decisions"]
    ] == [("dev", []), *[(name, ["not-verified"]) for name in ENVIRONMENTS[1:]]]


def test_pages_hold_every_deployment_once_newest_first(api, history):
    pages = []
    path = f"{DEPLOYMENTS}?limit=50"
    while path:
        answer = api.get(path)
        pages.append(answer["items"])
        path = answer["next"] and f"{DEPLOYMENTS}?limit=50&cursor={answer['next']}"

    assert [len(page) for page in pages] == [50, 50, 50, 47]
    assert [facts(deployment) for page in pages for deployment in page] == [written(line) for line in reversed(history)]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_list_can_be_filtered_by_environment(api, history, environment):
    expected = [written(line) for line in reversed(history) if line["environment"] == environment]

    found = all_items(api, f"{DEPLOYMENTS}?limit=30&environment={environment}")

    assert [facts(deployment) for deployment in found] == expected


def test_a_list_can_be_filtered_by_revision(api, history):
    repeated = next(sha for sha, times in Counter(line["sha"] for line in history).items() if times > 1)
    expected = [written(line) for line in reversed(history) if line["sha"] == repeated]

    found = all_items(api, f"{DEPLOYMENTS}?limit=1&revision={repeated}")

    assert [facts(deployment) for deployment in found] == expected


def test_a_period_includes_its_start_and_excludes_its_end(api, history):
    start, end = history[60]["deployed_at"], history[120]["deployed_at"]

    found = all_items(api, f"{DEPLOYMENTS}?limit=25&from={start}&to={end}")

    assert [facts(deployment) for deployment in found] == [written(line) for line in reversed(history[60:120])]


def test_adjoining_periods_hold_every_deployment_once(api, history):
    bounds = [line["deployed_at"] for line in history[::40]] + ["2021-01-01T00:00:00Z"]

    found = [
        facts(deployment)
        for start, end in pairwise(bounds)
        for deployment in reversed(all_items(api, f"{DEPLOYMENTS}?limit=200&from={start}&to={end}"))
    ]

    assert found == [written(line) for line in history]


@pytest.mark.parametrize(("state", "count"), [("succeeded", 197), ("failed", 0), ("cancelled", 0), ("in_progress", 0)])
def test_a_list_can_be_filtered_by_state(api, state, count):
    assert len(all_items(api, f"{DEPLOYMENTS}?limit=200&state={state}")) == count


def test_filters_can_be_combined(api, history):
    start = history[100]["deployed_at"]
    expected = [written(line) for line in reversed(history[100:]) if line["environment"] == "prod"]

    found = all_items(api, f"{DEPLOYMENTS}?limit=200&environment=prod&from={start}&state=succeeded&kind=rollout")

    assert [facts(deployment) for deployment in found] == expected


def test_no_two_deployments_of_an_environment_finished_at_the_same_time(history):
    """Check the history that the other tests use. Equal times would make the order of its lines uncertain."""
    for _, lines in groupby(
        sorted(history, key=lambda line: line["environment"]), key=lambda line: line["environment"]
    ):
        times = [line["deployed_at"] for line in lines]
        assert len(set(times)) == len(times)


METRICS = "/v1/systems/azul/metrics"


@pytest.mark.parametrize(
    "period", [("2018-06-01", "2020-05-31"), ("2019-03-14T15:09:26", "2019-09-01"), ("2020-01-01", "2021-01-01")]
)
def test_the_metrics_match_the_tags_and_the_commit_graph(api, history, period):
    start, end = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in period)
    prod = [line for line in history if line["environment"] == "prod"]
    finished = [datetime.fromisoformat(line["deployed_at"]).astimezone(UTC) for line in prod]
    within = [at for at in finished if start <= at < end]
    seconds, delivering, known = [], [], ancestors(prod[0]["sha"])
    for line, at in zip(prod[1:], finished[1:], strict=True):
        new = ancestors(line["sha"]) - known
        known |= new
        if start <= at < end:
            seconds += [max(0, (at - authored()[sha]).total_seconds()) for sha in new]
            delivering += [at] if new else []

    answer = api.get(f"{METRICS}?from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&per=month").json

    def times(figure):
        ids = answer[figure]["contributing"]
        return [datetime.fromisoformat(api.get(f"{DEPLOYMENTS}/{id_}")["finished_at"]) for id_ in ids]

    assert answer["environment"] == "prod"
    frequency, lead_time = answer["deployment_frequency"], answer["change_lead_time_seconds"]
    assert (frequency["deployments"], frequency["days"]) == (len(within), len({at.date() for at in within}))
    assert frequency["per_day"] == pytest.approx(len(within) / ((end - start).total_seconds() / 86400))
    assert times("deployment_frequency") == within
    assert lead_time["sample_size"] == len(seconds) > 0
    deciles = statistics.quantiles(seconds, n=10, method="inclusive")
    assert (lead_time["median"], lead_time["p90"]) == (pytest.approx(deciles[4]), pytest.approx(deciles[8]))
    assert times("change_lead_time_seconds") == delivering
    for name in ("deployment_frequency", "change_lead_time_seconds"):
        assert sum(each[name]["sample_size"] for each in answer["periods"]) == answer[name]["sample_size"]
    assert (answer["change_fail_rate"]["value"], answer["deployment_rework_rate"]["value"]) == (0, 0)


def test_what_waits_matches_the_drift(api):
    [prod] = [each for each in api.get("/v1/systems/azul/state")["targets"] if each["environment"] == "prod"]

    assert api.get(METRICS)["waiting"]["changes"] == prod["drift"]["commits"]


@cache
def authored() -> dict[str, datetime]:
    lines = (HISTORY / "commits.ndjson").read_text().splitlines()
    return {line["sha"]: datetime.fromisoformat(line["authored_at"]) for line in map(json.loads, lines)}
