"""Rule 1 of docs/registry/rules.md: the gate's decisions, made from recorded deployments and verifications."""

from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import WHOLE, Expected, Write


def _decides_a_promotion(given):
    given.a_system_with_an_environment()
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/promotions",
        "azul/promotions/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/promotions": Role.viewer,
        "POST /v1/systems/{system}/promotions": Role.viewer,
    },
    rights={
        "promotions": {"SELECT": WHOLE, "INSERT": "all but id"},
    },
    writes={
        "POST /v1/systems/{system}/promotions": _decides_a_promotion,
    },
)


def decision(api, environment="preproduction", artifact=None):
    body = {"artifact": artifact or an_artifact(), "environment": environment, "dry_run": True}
    answer = api.as_("viewer").post("/v1/systems/azul/promotions", body)
    return [(blocker["code"], blocker["suite"]) for blocker in answer["blockers"]]


def test_any_artifact_may_enter_the_lowest_environment(api, given):
    given.the_usual()

    assert decision(api, "development") == []


def test_an_artifact_not_deployed_before_is_denied(api, given):
    given.the_usual()

    assert decision(api) == [("not-deployed", None)]


def test_a_failed_or_unfinished_deployment_before_does_not_count(api, given):
    given.the_usual()
    given.a_deployment(state="failed")
    given.a_deployment(state="in_progress")

    assert decision(api) == [("not-deployed", None)]


def test_an_unverified_artifact_is_denied(api, given):
    given.the_usual()
    given.a_deployment()

    assert decision(api) == [("not-verified", None)]


def test_a_verified_artifact_is_granted(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    assert decision(api) == []


def test_an_error_counts_neither_as_success_nor_as_failure(api, given):
    given.the_usual()
    given.a_deployment()

    given.a_verification(outcome="error")
    given.a_verification(outcome="cancelled")

    assert decision(api) == [("not-verified", None)]


def test_an_error_after_a_success_keeps_the_permission(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    given.a_verification(outcome="error")

    assert decision(api) == []


def test_a_later_failed_verification_takes_the_permission_away(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    given.a_verification(outcome="failure")

    assert decision(api) == [("verification-failed", "acceptance")]


def test_a_success_after_a_failure_gives_the_permission_back(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification(outcome="failure")

    given.a_verification(outcome="success")

    assert decision(api) == []


def test_a_success_of_another_suite_does_not_make_up_for_a_failure(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification(suite="smoke", outcome="failure")

    given.a_verification(suite="acceptance")

    assert decision(api) == [("verification-failed", "smoke")]


def test_an_artifact_deployed_again_must_be_verified_again(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    given.a_deployment()

    assert decision(api) == [("not-verified", None)]


def test_a_failed_verification_from_before_the_deployment_does_not_count(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification(outcome="failure")

    given.a_deployment()
    given.a_verification(suite="smoke")

    assert decision(api) == []


def test_a_verification_of_an_earlier_deployment_does_not_count_even_if_it_is_recorded_later(api, given):
    given.the_usual()
    earlier = given.a_deployment()["id"]
    given.a_deployment()

    given.a_verification(earlier)

    assert decision(api) == [("not-verified", None)]


def test_a_verification_from_before_the_deployment_finished_counts(api, given):
    given.the_usual()
    tested = given.a_deployment(state="in_progress")["id"]
    given.a_verification(tested)

    given.a_status(tested, "succeeded")

    assert decision(api) == []


def test_a_missing_required_suite_denies(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("preproduction", required_suites=["acceptance", "load"])
    given.a_deployment()

    given.a_verification(suite="acceptance")

    assert decision(api) == [("not-verified", "load")]


def test_the_target_and_not_the_environment_before_sets_the_requirements(api, given):
    given.a_system()
    given.an_environment("development", required_suites=["load"], required_soak_seconds=3600)
    given.an_environment("preproduction")
    given.a_deployment()

    given.a_verification(suite="acceptance")

    assert decision(api) == []


def test_an_artifact_must_soak_and_the_blocker_says_until_when(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("preproduction", required_soak_seconds=3600)
    given.a_deployment()
    given.a_verification()

    assert decision(api) == [("soaking", None)]
    given.time_passes(3600)
    assert decision(api) == []


def test_deploying_it_again_restarts_the_soak(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("preproduction", required_soak_seconds=3600)
    given.a_deployment()
    given.time_passes(3600)

    given.a_deployment()
    given.a_verification()

    assert decision(api) == [("soaking", None)]


def test_a_verification_expires(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("preproduction", verification_max_age_seconds=86400)
    given.a_deployment()
    given.a_verification()

    assert decision(api) == []
    given.time_passes(86400)
    assert decision(api) == [("verification-expired", "acceptance")]


def test_no_environment_can_be_skipped(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    assert decision(api, "production") == [("not-deployed", None)]


def test_an_artifact_that_was_replaced_there_may_still_be_promoted(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    given.a_deployment(an_artifact("second"))

    assert decision(api) == []


def test_the_environment_before_is_the_next_lower_rank_that_exists(api, given):
    given.a_system()
    given.an_environment("development")
    given.an_environment("production", rank=7)
    given.a_deployment()
    given.a_verification()

    assert decision(api, "production") == []


def test_other_systems_prove_nothing(api, given):
    given.the_usual()
    given.a_system("other")
    given.an_environment("development", system="other")
    given.a_deployment(system="other")
    given.a_verification(system="other")

    assert decision(api) == [("not-deployed", None)]


def test_imported_history_counts(api, given):
    given.the_usual()
    given.an_import(at="2026-01-01T00:00:00Z")
    body = {
        "environment": "development",
        "artifact": an_artifact(),
        "suite": "acceptance",
        "trigger": "deployment",
        "outcome": "success",
        "imported": True,
        "started_at": "2026-01-01T00:00:01Z",
        "finished_at": "2026-01-01T00:01:00Z",
    }

    assert decision(api) == [("not-verified", None)]
    api.post("/v1/systems/azul/verifications", body)
    assert decision(api) == []


def test_an_artifact_of_another_kind_is_refused(api, given):
    given.the_usual()
    body = {"artifact": "sha256:" + 64 * "0", "environment": "development", "dry_run": True}

    answer = api.post("/v1/systems/azul/promotions", body)

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/artifact")


def test_a_decision_is_recorded_unless_it_is_a_dry_run(api, given):
    given.the_usual()
    body = {"artifact": an_artifact(), "environment": "preproduction"}

    dry = api.as_("viewer").post("/v1/systems/azul/promotions", {**body, "dry_run": True})
    recorded = api.as_("pipeline").post("/v1/systems/azul/promotions", body)

    assert dry["id"] is None
    assert [each["id"] for each in api.get("/v1/systems/azul/promotions")["items"]] == [recorded["id"]]


def test_recorded_decisions_are_filtered_and_paged(api, given):
    given.the_usual()
    for environment in ("development", "preproduction", "production"):
        api.post("/v1/systems/azul/promotions", {"artifact": an_artifact(), "environment": environment})

    first = api.get("/v1/systems/azul/promotions?decision=denied&limit=1")
    second = api.get(f"/v1/systems/azul/promotions?decision=denied&limit=1&cursor={first['next']}")

    assert first["items"][0]["environment"] == "production"
    assert second["items"][0]["environment"] == "preproduction"
    assert second["next"] is None
    assert api.get("/v1/systems/azul/promotions?environment=development")["items"][0]["decision"] == "granted"


def test_of_decisions_at_one_moment_the_later_recorded_is_listed_first(api, given):
    given.the_usual()
    body = {"artifact": an_artifact(), "environment": "development"}
    recorded = [api.post("/v1/systems/azul/promotions", body)["id"] for _ in range(3)]
    given.sql("SET session_replication_role = replica; UPDATE promotions SET decided_at = '2026-01-01T00:00:00Z'")

    first = api.get("/v1/systems/azul/promotions?limit=2")
    second = api.get(f"/v1/systems/azul/promotions?limit=2&cursor={first['next']}")

    assert [each["id"] for each in first["items"] + second["items"]] == recorded[::-1]


def test_an_unknown_environment_or_system_is_not_found(api, given):
    given.the_usual()
    body = {"artifact": an_artifact(), "environment": "nowhere"}

    assert api.post("/v1/systems/azul/promotions", body).status == 404
    assert api.post("/v1/systems/nothing/promotions", body).status == 404
