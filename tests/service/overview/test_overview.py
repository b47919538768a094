"""The members of the overview."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.overview.model import MOST_CHARACTERS, MOST_ENVIRONMENTS, MOST_FAILED_SUITES
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.expected import Expected
from tests.support.given import ahead
from tests.support.largest import copy

EXPECTED = Expected(roles={"GET /v1/overview": Role.viewer})

OVERVIEW = "/v1/overview"
FIRST, SECOND, THIRD = an_artifact("first"), an_artifact("second"), an_artifact("third")


def environments_of(api, system="azul", query=""):
    """Return the environments of a system by name."""
    systems = {each["key"]: each for each in api.get(OVERVIEW + query)["items"]}
    return {each["name"]: each for each in systems[system]["environments"]}


def blocked_of(api, environment):
    """Return why an environment is blocked, without since when."""
    return {name: value for name, value in environments_of(api)[environment]["blocked"].items() if name != "since"}


def ids(holds):
    return [hold["id"] for hold in holds]


def commits(*names):
    return [{"sha": a_revision(name), "authored_at": "2025-12-24T12:00:00Z"} for name in names]


class TestSystems:
    def test_without_systems_it_is_empty(self, api):
        assert api.get(OVERVIEW).json == {"items": [], "next": None}

    def test_a_system_without_environments_is_shown(self, api, given):
        given.a_system(name="Azul")

        assert api.get(OVERVIEW)["items"] == [{"key": "azul", "name": "Azul", "environments": []}]

    def test_environments_come_by_rank(self, api, given):
        given.a_system()
        given.an_environment("production")
        given.an_environment("development")

        assert api.get(OVERVIEW)["items"][0]["environments"] == [
            {"name": "development", "rank": 1},
            {"name": "production", "rank": 3, "production": True},
        ]

    def test_a_system_shows_nothing_of_another(self, api, given):
        given.the_usual()
        given.a_system("shop")
        given.an_environment(system="shop")
        given.a_deployment(system="shop")
        given.a_freeze(system="shop")

        assert environments_of(api)["development"] == {"name": "development", "rank": 1}

    @pytest.mark.parametrize(("count", "more"), [(MOST_ENVIRONMENTS, None), (MOST_ENVIRONMENTS + 1, True)])
    def test_a_system_has_the_first_environments(self, api, given, count, more):
        given.a_system_with_an_environment()
        copy(given, "environments", f", generate_series(2, {count}) AS n", name="'e' || n", rank="n")

        [system] = api.get(OVERVIEW)["items"]

        assert [each["rank"] for each in system["environments"]] == list(range(1, MOST_ENVIRONMENTS + 1))
        assert system.get("more_environments") is more

    def test_a_viewer_may_read_it_and_an_unknown_caller_may_not(self, api):
        assert api.as_("viewer").get(OVERVIEW).status == 200
        assert api.as_(None).get(OVERVIEW).problem == "unauthenticated"


class TestCurrentDeployment:
    def test_it_has_what_runs_and_since_when(self, api, given):
        given.the_usual()
        id_ = given.a_deployment(FIRST)["id"]
        deployment = api.get(f"/v1/systems/azul/deployments/{id_}")

        development = environments_of(api)["development"]

        assert development["current"] == {
            "id": id_,
            "artifact": FIRST,
            "since": deployment["finished_at"],
            "verified": False,
        }
        assert "last_attempt" not in development

    def test_what_runs_in_a_workspace_is_left_out(self, api, given):
        given.the_usual()
        given.a_workspace("jane")
        given.a_deployment(FIRST, workspace="jane")

        assert environments_of(api)["development"] == {"name": "development", "rank": 1, "workspaces": 1}

    def test_it_is_verified_if_a_suite_succeeded_and_none_failed(self, api, given):
        given.the_usual()
        given.a_deployment()

        def verified():
            return environments_of(api)["development"]["current"]["verified"]

        given.a_verification(outcome="error")
        assert verified() is False
        given.a_verification()
        assert verified() is True
        given.a_verification(suite="smoke", outcome="failure")
        assert verified() is False
        given.a_verification(suite="smoke")
        assert verified() is True
        given.a_deployment()
        assert verified() is False

    def test_it_names_the_first_suites_that_failed(self, api, given):
        given.the_usual()
        given.a_deployment()
        for number in range(MOST_FAILED_SUITES + 1):
            given.a_verification(suite=f"suite-{number}", outcome="failure")

        failed = environments_of(api)["development"]["current"]["failed_suites"]

        assert failed == [f"suite-{number}" for number in range(MOST_FAILED_SUITES)]


class TestLastAttempt:
    @pytest.mark.parametrize("state", ["failed", "cancelled"])
    def test_it_is_shown_beside_what_still_runs(self, api, given, state):
        given.the_usual()
        given.a_deployment(FIRST)
        id_ = given.a_deployment(SECOND, state=state, kind="hotfix")["id"]
        deployment = api.get(f"/v1/systems/azul/deployments/{id_}")

        development = environments_of(api)["development"]

        assert development["current"]["artifact"] == FIRST
        assert development["last_attempt"] == {
            name: deployment[name] for name in ("id", "artifact", "kind", "state", "started_at", "finished_at")
        }

    def test_a_failure_says_why(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST, state="failed", detail="d" * 200)

        assert environments_of(api)["development"]["last_attempt"]["detail"] == "d" * MOST_CHARACTERS

    def test_a_deployment_in_progress_has_its_lease(self, api, given):
        given.the_usual()
        deployment = given.a_deployment(FIRST, state="in_progress")

        development = environments_of(api)["development"]

        assert development == {
            "name": "development",
            "rank": 1,
            "last_attempt": {
                **{name: deployment[name] for name in ("id", "artifact", "state", "started_at", "lease_expires_at")},
            },
        }

    def test_an_expired_lease_looks_the_same_before_and_after_the_sweep(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST, state="in_progress", lease_seconds=60)
        given.time_passes(61)
        before = environments_of(api)["development"]

        given.sql(
            "UPDATE deployments SET state = 'cancelled', detail = 'The lease expired', finished_at = lease_expires_at"
        )

        assert before["last_attempt"]["state"] == "cancelled"
        assert environments_of(api)["development"] == before


class TestBlocked:
    def test_it_is_the_decision_of_the_gate(self, api, given):
        given.the_usual(required_suites=["acceptance", "smoke"], required_approvals=1)
        given.a_deployment(SECOND, environment="production")
        given.a_deployment(FIRST, environment="preproduction")
        given.a_verification(environment="preproduction", outcome="failure")
        given.a_pin("production")
        given.a_bad_mark(FIRST)
        given.a_freeze(production=True)
        asked = {"artifact": FIRST, "environment": "production", "dry_run": True}
        decision = api.post("/v1/systems/azul/promotions", asked)

        blocked = environments_of(api)["production"]["blocked"]

        codes = ["not-verified", "verification-failed", "not-approved", "frozen", "pinned", "marked-bad"]
        assert (blocked["codes"], "until" in blocked) == (codes, False)
        assert [each["code"] for each in decision["blockers"]] == codes

    def test_it_has_waited_since_the_artifact_reached_the_environment_before(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.time_passes(3600)

        found = environments_of(api)

        assert found["preproduction"]["blocked"]["since"][:19] == found["development"]["current"]["since"][:19]

    def test_it_is_left_out_if_the_gate_grants_the_artifact(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_verification()

        assert "blocked" not in environments_of(api)["preproduction"]

    def test_a_bad_mark_on_what_runs_here_does_not_block_what_comes(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_verification()
        given.a_deployment(SECOND, environment="preproduction")
        mark = given.a_bad_mark(SECOND)["id"]

        preproduction = environments_of(api)["preproduction"]

        assert ids(preproduction["holds"]) == [mark]
        assert "blocked" not in preproduction

    def test_it_is_left_out_for_the_same_artifact_and_for_the_lowest_environment(self, api, given):
        given.the_usual()
        given.a_freeze()
        given.a_deployment(FIRST)
        given.a_deployment(FIRST, environment="preproduction")

        found = environments_of(api)

        assert [name for name, each in found.items() if "blocked" in each] == ["production"]

    def test_until_is_when_the_last_blocker_ends(self, api, given):
        given.a_system()
        given.an_environment("development")
        given.an_environment("production", required_soak_seconds=3600)
        given.a_deployment(FIRST)
        given.a_verification()
        soaked = environments_of(api)["production"]["blocked"]
        ends_at = given.a_freeze(ends_at=ahead(hours=2))["ends_at"]

        both = environments_of(api)["production"]["blocked"]

        assert (soaked["codes"], soaked["until"] > environments_of(api)["development"]["current"]["since"]) == (
            ["soaking"],
            True,
        )
        assert (both["codes"], both["until"]) == (["soaking", "frozen"], ends_at)

    def test_a_blocker_that_does_not_end_leaves_until_out(self, api, given):
        given.a_system()
        given.an_environment("development")
        given.an_environment("production", required_soak_seconds=3600)
        given.a_deployment(FIRST)

        assert blocked_of(api, "production") == {"codes": ["not-verified", "soaking"]}

    def test_approvals_count(self, api, given):
        given.a_system()
        given.an_environment("development")
        given.an_environment("production", required_approvals=1)
        given.a_deployment(FIRST)
        given.a_verification()
        assert blocked_of(api, "production") == {"codes": ["not-approved"]}

        given.an_approval(FIRST, "production", by="jane")

        assert "blocked" not in environments_of(api)["production"]


class TestCommitsBehind:
    def test_it_is_as_in_the_state(self, api, given):
        given.the_usual()
        given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits("a"))
        given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
        given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits("b", "c"))

        found = environments_of(api)

        assert [each.get("commits_behind") for each in found.values()] == [None, 2, 1]
        targets = api.get("/v1/systems/azul/state")["targets"]
        assert [each["drift"] and each["drift"]["commits"] for each in targets] == [None, 2, 1]

    def test_it_is_zero_for_the_same_artifact(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_deployment(FIRST, environment="preproduction")

        assert environments_of(api)["preproduction"]["commits_behind"] == 0

    def test_it_is_left_out_if_it_is_unknown(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)

        assert [each.get("commits_behind") for each in environments_of(api).values()] == [None, None, None]


class TestHolds:
    def test_it_has_the_freezes_in_force_that_concern_the_environment(self, api, given):
        given.the_usual()
        everywhere = given.a_freeze()["id"]
        production = given.a_freeze(production=True)["id"]
        preproduction = given.a_freeze("preproduction")["id"]
        given.a_freeze(starts_at=ahead(hours=1))
        over = given.a_freeze_over_systems()["id"]
        over_production = given.a_freeze_over_systems(production=True)["id"]
        given.a_release(given.a_freeze()["id"])

        found = environments_of(api)

        assert ids(found["development"]["holds"]) == [everywhere, over]
        assert ids(found["preproduction"]["holds"]) == [everywhere, preproduction, over]
        assert ids(found["production"]["holds"]) == [everywhere, production, over, over_production]

    def test_a_hold_says_since_when_it_holds_who_set_it_and_why(self, api, given):
        given.the_usual()
        hold = given.a_freeze("production", reason="w" * 500)

        [shown] = environments_of(api)["production"]["holds"]

        assert shown == {
            "id": hold["id"],
            "kind": "freeze",
            "since": hold["starts_at"][:19] + "Z",
            "created_by": hold["created_by"],
            "reason": "w" * MOST_CHARACTERS,
        }

    def test_it_has_the_pin_and_the_bad_marks_of_what_runs_here_and_before(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_deployment(SECOND, environment="preproduction")
        pin = given.a_pin("preproduction")["id"]
        first, second = (given.a_bad_mark(each)["id"] for each in (FIRST, SECOND))
        given.a_bad_mark(THIRD)

        found = environments_of(api)

        assert [ids(each["holds"]) for each in found.values()] == [[first], [pin, first, second], [second]]


class TestWorkspaces:
    def test_it_counts_the_active_ones(self, api, given):
        given.the_usual()
        given.a_workspace("jane", expires_at=ahead(hours=1))
        given.time_passes(3601)
        gone = given.a_workspace("gone")["id"]
        given.a_workspace("joe")
        given.a_workspace("ann", environment="production")
        api.delete(f"/v1/systems/azul/workspaces/{gone}", if_match="*")

        assert [each.get("workspaces") for each in environments_of(api).values()] == [1, None, 1]


class TestConditional:
    def test_an_unchanged_overview_is_not_sent_again(self, api, given):
        given.the_usual(required_soak_seconds=3600)
        given.a_deployment(FIRST, environment="preproduction")
        given.a_deployment(SECOND, environment="production", state="in_progress")
        given.a_freeze_over_systems(ends_at=ahead(hours=2))
        given.a_workspace()
        tag = api.get(OVERVIEW).headers["ETag"]

        assert api.get(OVERVIEW, if_none_match=tag).status == 304
        given.a_verification(environment="preproduction")
        assert api.get(OVERVIEW, if_none_match=tag).status == 200

    def test_a_decision_changes_when_its_time_has_come(self, api, given):
        given.a_system()
        given.an_environment("development")
        given.an_environment("production", required_soak_seconds=3600)
        given.a_deployment(FIRST)
        given.a_verification()
        given.time_passes(3590)
        before = environments_of(api)["production"]

        given.time_passes(11)

        assert before["blocked"]["codes"] == ["soaking"]
        assert "blocked" not in environments_of(api)["production"]
