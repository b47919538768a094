"""The state of targets: current deployment, last attempt and verifications."""

from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import Expected

EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/state": Role.viewer,
    },
)


FIRST, SECOND, THIRD = an_artifact("first"), an_artifact("second"), an_artifact("third")


def target_of(api, environment: str = "development") -> dict:
    targets = api.get("/v1/systems/azul/state")["targets"]
    return next(target for target in targets if target["environment"] == environment)


class TestASystem:
    def test_a_system_without_environments_has_no_targets(self, api, given):
        given.a_system(name="Azul")

        state = {"system": "azul", "name": "Azul", "targets": [], "more_targets": False}
        assert api.get("/v1/systems/azul/state").json == state

    def test_an_unknown_system_is_not_found(self, api):
        assert api.get("/v1/systems/azul/state").problem == "not-found"

    def test_targets_are_listed_in_promotion_order(self, api, given):
        given.a_system()
        given.an_environment("production", base_url="https://azul.example.org")
        given.an_environment("preproduction")
        given.an_environment("development")

        targets = api.get("/v1/systems/azul/state")["targets"]

        assert [(each["environment"], each["rank"], each["production"], each["base_url"]) for each in targets] == [
            ("development", 1, False, None),
            ("preproduction", 2, False, None),
            ("production", 3, True, "https://azul.example.org"),
        ]

    def test_a_target_without_deployments_is_empty(self, api, given):
        given.a_system()
        given.an_environment("development")

        assert target_of(api) == {
            "environment": "development",
            "rank": 1,
            "production": False,
            "workspace": "default",
            "base_url": None,
            "current": None,
            "last_attempt": None,
            "verifications": [],
            "rollback_to": None,
            "drift": None,
        }

    def test_a_system_shows_no_state_of_another(self, api, given):
        given.a_system()
        given.an_environment("development")
        given.a_system("shop")
        given.an_environment("development", system="shop")
        given.an_environment("production", system="shop")
        given.a_deployment(system="shop")

        targets = api.get("/v1/systems/azul/state")["targets"]

        assert [(each["environment"], each["current"], each["last_attempt"]) for each in targets] == [
            ("development", None, None)
        ]

    def test_workspaces_are_listed_beside_their_environment_until_destroyed(self, api, given):
        given.a_system()
        given.an_environment("development", base_url="https://azul.example.org")
        given.an_environment("production")
        for name in ("joe", "gone", "jane"):
            given.a_workspace(name, environment="production", base_url=f"https://{name}.example.org")
            given.a_deployment(an_artifact(name), environment="production", workspace=name)
        given.a_deployment(FIRST)
        given.a_deployment(FIRST, environment="production")
        given.a_verification(environment="production", workspace="jane")
        api.delete("/v1/systems/azul/workspaces/2", if_match="*")

        targets = api.get("/v1/systems/azul/state")["targets"]

        assert [
            (each["environment"], each["workspace"], each["base_url"], each["current"]["artifact"]) for each in targets
        ] == [
            ("development", "default", "https://azul.example.org", FIRST),
            ("production", "default", None, FIRST),
            ("production", "jane", "https://jane.example.org", an_artifact("jane")),
            ("production", "joe", "https://joe.example.org", an_artifact("joe")),
        ]
        assert [len(each["verifications"]) for each in targets] == [0, 0, 1, 0]
        assert [each["drift"] and each["drift"]["environment"] for each in targets] == [None, "development", None, None]

    def test_an_expired_workspace_is_shown_and_its_successor_starts_empty(self, api, given):
        given.the_usual()
        given.a_workspace("jane")
        given.a_deployment(workspace="jane")
        given.a_verification(workspace="jane")
        given.time_passes(2 * 86400)
        expired = api.get("/v1/systems/azul/state")["targets"][-1]
        api.delete("/v1/systems/azul/workspaces/1", if_match="*")
        given.a_workspace("jane")

        anew = api.get("/v1/systems/azul/state")["targets"][-1]

        assert (expired["workspace"], expired["current"]["artifact"]) == ("jane", FIRST)
        assert (anew["workspace"], anew["current"], anew["last_attempt"], anew["verifications"]) == (
            "jane",
            None,
            None,
            [],
        )

    def test_a_viewer_may_read_it_and_an_unknown_caller_may_not(self, api, given):
        given.a_system()

        assert api.as_("viewer").get("/v1/systems/azul/state").status == 200
        assert api.as_(None).get("/v1/systems/azul/state").problem == "unauthenticated"


class TestCurrentAndLastAttempt:
    def test_a_success_is_current_and_the_last_attempt(self, api, given):
        given.the_usual()
        deployment = given.a_deployment(FIRST)

        target = target_of(api)

        assert target["current"]["id"] == deployment["id"]
        assert target["last_attempt"] == target["current"]
        assert target["current"] == api.get(f"/v1/systems/azul/deployments/{deployment['id']}").json

    def test_a_failed_attempt_does_not_change_the_current_deployment(self, api, given):
        given.the_usual()
        succeeded = given.a_deployment(FIRST)
        failed = given.a_deployment(SECOND, state="failed")

        target = target_of(api)

        assert target["current"]["id"] == succeeded["id"]
        assert (target["last_attempt"]["id"], target["last_attempt"]["state"]) == (failed["id"], "failed")

    def test_a_deployment_in_progress_is_an_attempt_and_not_current(self, api, given):
        given.the_usual()
        deployment = given.a_deployment(FIRST, state="in_progress")

        target = target_of(api)

        assert target["current"] is None
        assert (target["last_attempt"]["id"], target["last_attempt"]["state"]) == (deployment["id"], "in_progress")

    def test_an_attempt_with_an_expired_lease_reads_as_cancelled(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_deployment(SECOND, state="in_progress", lease_seconds=60)

        given.time_passes(61)

        target = target_of(api)
        attempt = target["last_attempt"]
        assert target["current"]["artifact"] == FIRST
        assert (attempt["artifact"], attempt["state"]) == (SECOND, "cancelled")
        assert attempt["finished_at"] == attempt["lease_expires_at"]

    def test_the_last_finished_is_current_whenever_it_started(self, api, given):
        given.the_usual()
        given.an_import(FIRST, started_at="2026-01-01T10:00:00Z", at="2026-01-01T12:00:00Z")
        given.an_import(SECOND, started_at="2026-01-01T11:00:00Z", at="2026-01-01T11:30:00Z")

        target = target_of(api)

        assert target["current"]["artifact"] == FIRST
        assert target["last_attempt"]["artifact"] == SECOND

    def test_the_later_recorded_of_two_that_finished_at_once_is_current(self, api, given):
        given.the_usual()
        given.an_import(FIRST)
        given.an_import(SECOND)

        assert target_of(api)["current"]["artifact"] == SECOND

    def test_older_history_imported_later_does_not_become_current(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)

        given.an_import(SECOND, at="2026-01-01T00:00:00Z")

        assert target_of(api)["current"]["artifact"] == FIRST
        assert target_of(api)["last_attempt"]["artifact"] == FIRST


class TestVerifications:
    def test_the_latest_of_each_suite_is_listed_by_suite(self, api, given):
        given.the_usual()
        given.a_deployment()
        given.a_verification(suite="smoke", outcome="failure")
        given.a_verification(suite="acceptance", outcome="failure")
        given.a_verification(suite="acceptance", outcome="success")

        verifications = target_of(api)["verifications"]

        assert [(each["suite"], each["outcome"]) for each in verifications] == [
            ("acceptance", "success"),
            ("smoke", "failure"),
        ]

    def test_a_broken_run_is_shown_although_the_gate_ignores_it(self, api, given):
        given.the_usual()
        given.a_deployment()
        given.a_verification(outcome="success")
        given.a_verification(outcome="error")

        assert [each["outcome"] for each in target_of(api)["verifications"]] == ["error"]

    def test_verifications_of_another_artifact_are_not_listed(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_verification()

        given.a_deployment(SECOND)

        assert target_of(api)["verifications"] == []

    def test_verifications_of_another_target_are_not_listed(self, api, given):
        given.the_usual()
        given.a_deployment(FIRST)
        given.a_verification()

        given.a_deployment(FIRST, environment="preproduction")

        assert target_of(api, "preproduction")["verifications"] == []
        assert len(target_of(api, "development")["verifications"]) == 1
