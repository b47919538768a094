"""Delivery metrics through the API: windows, pages, and a story of each figure."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from chalicelib.identity.roles import Role
from chalicelib.metrics import store
from chalicelib.metrics.model import DEFINITION, MOST_CONTRIBUTING, MOST_PERIODS
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.checkout import ROOT
from tests.support.expected import Expected
from tests.support.largest import copy
from tools.checks.bench.exchanges import recorded

EXPECTED = Expected(
    roles={"GET /v1/systems/{system}/metrics": Role.viewer, "GET /v1/metrics": Role.viewer},
)

METRICS = "/v1/systems/azul/metrics"
OVER_SYSTEMS = "/v1/metrics"
FIRST, SECOND, THIRD = (an_artifact(name) for name in ("first", "second", "third"))
FREQUENCY, LEAD_TIME, FAIL_RATE, RECOVERY, REWORK = FIGURES = (
    "deployment_frequency",
    "change_lead_time_seconds",
    "change_fail_rate",
    "failed_deployment_recovery_time_seconds",
    "deployment_rework_rate",
)


def moment(**ago: float) -> str:
    return quote((datetime.now(UTC) - timedelta(**ago)).isoformat())


def day(number: int) -> str:
    return f"2026-01-{number:02}T12:00:00Z"


def ran(given, number: int, artifact: str = FIRST, *names: str, environment: str = "production", **fields) -> str:
    """Import a deployment of a day in January. Its commits were authored the day before. Return its id."""
    commits = [{"sha": a_revision(name), "authored_at": day(number - 1)} for name in names]
    fields = {"revision": f"{number:040x}", "commits": commits, **fields}
    return given.an_import(artifact, environment=environment, at=day(number), **fields)["id"]


def january(api, more: str = ""):
    return api.get(f"{METRICS}?from={day(1)}&to={day(31)}{more}")


def values(figure):
    """Return a figure without its samples."""
    return {name: value for name, value in figure.items() if name not in ("sample_size", "contributing")}


class TestWindow:
    def test_it_is_the_last_30_days_unless_asked_otherwise(self, api, given):
        given.the_usual()
        given.a_deployment(environment="production")

        answer = api.get(METRICS)

        start, end = (datetime.fromisoformat(answer[name]) for name in ("from", "to"))
        assert end - start == timedelta(days=30)
        assert timedelta() <= end - datetime.now(UTC) <= timedelta(hours=1)
        assert answer[FREQUENCY]["deployments"] == 1

    def test_without_a_start_it_has_the_30_days_before_its_end(self, api, given):
        given.a_system()

        answer = api.get(f"{METRICS}?to={day(31)}")

        assert (answer["from"], answer["to"]) == (day(1), day(31))

    def test_without_an_end_it_ends_with_the_current_hour(self, api, given):
        given.a_system()

        answer = api.get(f"{METRICS}?from={moment(days=700)}")

        assert timedelta() <= datetime.fromisoformat(answer["to"]) - datetime.now(UTC) <= timedelta(hours=1)

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            (f"from={day(2)}&to={day(2)}", "#/to"),
            (f"from={day(2)}&to={day(1)}", "#/to"),
            ("from=2199-01-01T00:00:00Z", "#/from"),
            ("from=2024-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", "#/from"),
            ("from=1969-12-31T00:00:00Z&to=1970-01-02T00:00:00Z", "#/from"),
            ("to=0001-01-02T00:00:00Z", "#/to"),
            ("from={long_ago}", "#/from"),
            ("from=2026-01-01T00:00:00Z&to=2026-05-01T00:00:00Z&per=day", "#/per"),
            ("per=hour", "#/per"),
        ],
    )
    def test_a_window_that_cannot_be_is_refused(self, api, given, query, pointer):
        given.a_system()

        answer = api.get(f"{METRICS}?{query.format(long_ago=moment(days=800))}")

        assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, [pointer])

    @pytest.mark.parametrize(
        "window",
        [
            "from=2024-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&per=week",
            "to=1970-01-05T00:00:00Z&per=day",
            "from=9999-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&per=month",
        ],
    )
    def test_a_long_or_remote_window_is_answered(self, api, given, window):
        given.a_system()

        assert api.get(f"{METRICS}?{window}").status == 200

    def test_over_systems_it_has_at_most_90_days(self, api):
        assert api.get(f"{OVER_SYSTEMS}?from=2026-01-01T00:00:00Z&to=2026-04-01T00:00:00Z").status == 200
        assert api.get(f"{OVER_SYSTEMS}?from=2026-01-01T00:00:00Z&to=2026-04-01T00:00:01Z").status == 422

    def test_weeks_begin_on_monday_and_months_on_their_first_day(self, api, given):
        given.the_usual()
        id_ = ran(given, 5)

        weeks = january(api, "&per=week")["periods"]
        months = api.get(f"{METRICS}?from={day(31)}&to=2026-03-10T00:00:00Z&per=month")["periods"]

        assert [each["from"] for each in weeks] == [day(1), *(f"2026-01-{n:02}T00:00:00Z" for n in (5, 12, 19, 26))]
        assert weeks[-1]["to"] == day(31)
        assert [each[FREQUENCY]["contributing"] for each in weeks] == [[], [id_], [], [], []]
        assert [each["to"] for each in months] == [
            "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z"
        ]  # fmt: skip

    def test_a_window_may_touch_110_days(self, api, given):
        given.a_system()

        def from_noon(end):
            return api.get(f"{METRICS}?from=2026-01-01T12:00:00Z&to={end}&per=day")

        assert len(from_noon("2026-04-21T00:00:00Z")["periods"]) == MOST_PERIODS
        assert [fault["pointer"] for fault in from_noon("2026-04-21T00:00:01Z")["errors"]] == ["#/per"]

    def test_an_answer_that_is_the_same_is_not_sent_again(self, api, given):
        given.the_usual()
        ran(given, 2)
        etag = january(api).headers["ETag"]

        address = f"{METRICS}?from={day(1)}&to={day(31)}"
        assert api.get(address, if_none_match=etag).status == 304
        ran(given, 3)
        assert api.get(address, if_none_match=etag).status == 200


class TestNoData:
    @pytest.fixture(params=["nothing", "environments", "workspace"])
    def without_deployments(self, request, given):
        """A system without deployments to its highest environment."""
        if request.param == "nothing":
            given.a_system()
            return None
        given.the_usual()
        if request.param == "workspace":
            given.a_workspace("jane", environment="production")
            given.a_deployment(environment="production", workspace="jane")
        return "production"

    def test_no_data_is_null(self, api, without_deployments):
        answer = api.get(METRICS)

        assert answer["environment"] == without_deployments
        for name in (*FIGURES, "waiting"):
            assert (answer[name]["sample_size"], answer[name]["contributing"]) == (0, []), name
            assert set(values(answer[name]).values()) == {None}, name

    def test_a_count_of_zero_among_samples_is_zero(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST, "baseline")
        ran(given, 3, SECOND, "a")

        answer = january(api)

        assert values(answer[FAIL_RATE]) == {"value": 0, "failed_attempts": 0}
        assert values(answer[RECOVERY]) == {"median": None, "unrecovered": 0}
        assert answer[LEAD_TIME]["anomalies"] == 0
        assert answer[REWORK]["value"] == 0

    def test_failed_attempts_are_counted_without_any_success(self, api, given):
        given.the_usual()
        ran(given, 2, state="failed")
        ran(given, 3, state="cancelled")

        assert values(january(api)[FAIL_RATE]) == {"value": None, "failed_attempts": 1}

    def test_a_system_that_does_not_exist_is_not_found(self, api):
        assert api.get(METRICS).problem == "not-found"


class TestFigures:
    def test_lead_time_is_to_the_first_delivery_and_not_of_the_baseline(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST, "baseline")
        second = ran(given, 5, SECOND, "baseline", "a", "b")
        ran(given, 6, THIRD, "a")

        lead_time = january(api)[LEAD_TIME]

        assert lead_time == {
            "median": 86400, "p90": 86400, "anomalies": 0, "sample_size": 2, "contributing": [second]
        }  # fmt: skip

    def test_a_commit_from_after_its_deployment_is_an_anomaly_of_0_seconds(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST)
        late = [{"sha": a_revision(), "authored_at": day(9)}]
        ran(given, 3, SECOND, commits=late)

        assert values(january(api)[LEAD_TIME]) == {"median": 0, "p90": 0, "anomalies": 1}

    def test_a_failure_after_the_deployment_counts_until_the_suite_succeeds(self, api, given):
        given.the_usual()
        id_ = given.a_deployment(environment="production")["id"]

        def failing():
            return api.get(METRICS)[FAIL_RATE]["contributing"]

        given.a_verification(id_, outcome="failure", trigger="schedule")
        assert failing() == []
        given.a_verification(id_, outcome="failure")
        assert failing() == [id_]
        given.a_verification(id_, outcome="error")
        given.a_verification(id_, trigger="manual")
        given.a_verification(id_, suite="smoke")
        assert failing() == [id_]
        given.a_verification(id_)
        assert failing() == []

    def test_a_rollback_takes_back_all_that_came_after_its_artifact(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST)
        second, third = ran(given, 3, SECOND), ran(given, 4, THIRD, kind="hotfix")
        back = ran(given, 6, FIRST, kind="rollback")

        answer = january(api)

        assert answer[FAIL_RATE] == {
            "value": 2 / 3, "failed_attempts": 0, "sample_size": 3, "contributing": [second, third]
        }  # fmt: skip
        assert answer[RECOVERY] == {
            "median": 3 * 86400, "unrecovered": 0, "sample_size": 1, "contributing": [second]
        }  # fmt: skip
        assert answer[REWORK] == {"value": 0.5, "sample_size": 4, "contributing": [third, back]}

    def test_a_rollback_takes_nothing_back_if_its_artifact_runs_already(self, api, given):
        given.the_usual()
        for number in (2, 3):
            ran(given, number, FIRST, kind="rollback")

        assert january(api)[RECOVERY]["contributing"] == []

    def test_a_bad_mark_counts_while_its_artifact_is_current_and_until_its_release(self, api, given):
        given.the_usual()
        given.a_system("other")
        earlier = given.a_deployment(FIRST, environment="production")["id"]
        current = given.a_deployment(SECOND, environment="production")["id"]
        given.a_bad_mark(SECOND, system="other")
        given.a_bad_mark(FIRST)
        assert api.get(METRICS)[FAIL_RATE]["contributing"] == []

        mark = given.a_bad_mark(SECOND)["id"]

        answer = api.get(METRICS)
        assert answer[FAIL_RATE]["contributing"] == [current] != [earlier]
        assert values(answer[RECOVERY]) == {"median": None, "unrecovered": 1}
        given.a_release(mark)
        assert api.get(METRICS)[FAIL_RATE]["contributing"] == []

    def test_a_failure_is_judged_by_what_happened_outside_the_window(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST)
        second, third = ran(given, 3, SECOND), ran(given, 4, THIRD)
        ran(given, 6, FIRST, kind="rollback")

        [before, within, after] = [
            api.get(f"{METRICS}?from={day(first)}&to={day(last)}") for first, last in ((3, 4), (4, 5), (5, 9))
        ]

        assert before[FAIL_RATE]["contributing"] == [second]
        assert values(before[RECOVERY]) == {"median": 3 * 86400, "unrecovered": 0}
        assert within[FAIL_RATE]["contributing"] == [third]
        assert within[RECOVERY]["contributing"] == after[RECOVERY]["contributing"] == []

    def test_a_failure_ends_after_the_window_though_a_later_mark_is_on_the_artifact(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST)
        ran(given, 3, SECOND)
        ran(given, 6, FIRST, kind="rollback")
        ran(given, 9, THIRD)
        given.a_bad_mark(FIRST)

        recovery = api.get(f"{METRICS}?from={day(3)}&to={day(4)}")[RECOVERY]

        assert values(recovery) == {"median": 3 * 86400, "unrecovered": 0}

    def test_the_environment_is_the_one_that_has_the_highest_rank_now(self, api, given):
        given.the_usual()
        ran(given, 2)
        ran(given, 3, environment="preproduction")
        assert january(api)["environment"] == "production"

        body = {"rank": 9, "reason": "It is the last one now"}
        assert api.patch("/v1/systems/azul/environments/preproduction", body, if_match="*").status == 200

        answer = january(api)
        assert (answer["environment"], answer[FREQUENCY]["deployments"]) == ("preproduction", 1)

    def test_contributing_has_the_first_50(self, api, given):
        given.the_usual()
        first = int(ran(given, 2))
        copy(
            given, "deployments", f", generate_series(1, {MOST_CONTRIBUTING}) AS n",
            finished_at="t.finished_at + n * '1 min'::interval", revision="lpad(n::text, 40, '0')",
        )  # fmt: skip

        frequency = january(api)[FREQUENCY]

        assert (frequency["sample_size"], frequency["days"]) == (MOST_CONTRIBUTING + 1, 1)
        assert frequency["contributing"] == [str(first + n) for n in range(MOST_CONTRIBUTING)]

    def test_all_that_waits_is_counted(self, api, given):
        given.the_usual()
        ran(given, 2, FIRST, environment="preproduction")
        ran(given, 2, FIRST)
        commits = [{"sha": f"{n:040x}", "authored_at": f"2026-01-03T00:{n // 60:02}:{n % 60:02}Z"} for n in range(150)]
        id_ = ran(given, 4, SECOND, environment="preproduction", commits=commits)
        oldest = datetime.now(UTC) - datetime(2026, 1, 3, tzinfo=UTC)

        waiting = api.get(METRICS)["waiting"]

        assert waiting == {
            "changes": 150, "sample_size": 150, "contributing": [id_],
            "oldest_seconds": pytest.approx(oldest.total_seconds(), abs=60),
        }  # fmt: skip
        ran(given, 5, SECOND)
        assert values(api.get(METRICS)["waiting"]) == {"changes": 0, "oldest_seconds": None}

    def test_all_of_the_environment_before_waits_until_the_first_deployment(self, api, given):
        given.the_usual()
        ids = [
            ran(given, 2, FIRST, "a", environment="preproduction"),
            ran(given, 3, SECOND, "b", environment="preproduction"),
        ]

        waiting = january(api)["waiting"]

        assert (waiting["changes"], waiting["contributing"]) == (2, ids)

    def test_what_waits_is_unknown_if_it_takes_too_long_to_count(self, api, given, monkeypatch):
        given.the_usual()
        ran(given, 2, FIRST, environment="preproduction")
        ran(given, 2, FIRST)
        ran(given, 3, SECOND, "a", "b", environment="preproduction")
        assert january(api)["waiting"]["changes"] == 2

        monkeypatch.setattr(
            store, "_OF_SYSTEM", store._OF_SYSTEM.replace(f"commits <= {store.MOST_COMMITS}", "commits <= 1")
        )

        assert values(january(api)["waiting"]) == {"changes": None, "oldest_seconds": None}


@pytest.mark.parametrize("address", [METRICS, f"{METRICS}?per=week", OVER_SYSTEMS])
def test_metrics_take_one_round_trip(api, given, address):
    given.the_usual()

    with recorded() as exchanges:
        api.get(address)

    assert [each.statements for each in exchanges] == [1]


def test_the_definition_is_a_heading_of_the_page(api, given):
    given.a_system()
    page, _, anchor = api.get(METRICS)["definition"].partition("#")

    assert f"{page}#{anchor}" == DEFINITION
    headings = [line.removeprefix("## ") for line in (ROOT / page).read_text().splitlines() if line.startswith("## ")]
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
