"""Rule 2 of docs/registry/rules.md: roll back only to an artifact that worked on the target before."""

from tests.service.deployments.records import an_artifact

PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


def rollback(artifact="first", environment="production"):
    return {"environment": environment, "artifact": an_artifact(artifact), "kind": "rollback"}


def test_production_can_go_back_to_the_good_artifact_before(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.as_("pipeline").post(PATH, rollback("first"))

    assert (answer.status, answer["promotion_id"]) == (201, None)


def test_an_artifact_that_never_succeeded_there_is_refused(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production", state="failed")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_the_current_artifact_is_refused(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"


def test_an_artifact_whose_latest_verification_there_failed_is_refused(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="error")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_an_artifact_that_succeeded_after_a_failure_there_is_accepted(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="success")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).status == 201


def test_the_current_artifact_is_accepted_after_an_attempt_that_failed(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_deployment(an_artifact("second"), environment="production", state="failed")

    assert api.as_("pipeline").post(PATH, rollback("first")).status == 201


def test_an_artifact_behind_which_a_rollback_went_is_refused(api, given):
    given.the_usual()
    for name in ("first", "second", "third"):
        given.a_deployment(an_artifact(name), environment="production")
    given.a_deployment(an_artifact("first"), environment="production", kind="rollback")

    refused = api.post(PATH, rollback("second"))

    assert (refused.status, refused.problem) == (422, "rollback-refused")
    assert [(each["code"], each["environment"]) for each in refused["blockers"]] == [("rolled-back", "production")]


def test_an_artifact_that_was_deployed_again_since_is_accepted(api, given):
    given.the_usual()
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name), environment="production")
    given.a_deployment(an_artifact("first"), environment="production", kind="rollback")
    given.a_deployment(an_artifact("second"), environment="production")
    given.a_deployment(an_artifact("third"), environment="production")

    assert api.post(PATH, rollback("second")).status == 201


def test_the_latest_deployment_that_was_verified_counts(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"


def test_an_override_passes_all_but_the_succeeded_deployment(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_deployment(an_artifact("second"), environment="production")
    override = {"override_reason": "The failure is of the test"}

    passed = api.as_("maintainer").post(PATH, rollback("first") | override)
    refused = api.as_("maintainer").post(PATH, rollback("never") | override)

    assert (passed["overridden"], refused.problem) == (["verification-failed"], "rollback-refused")
    promotion = api.get("/v1/systems/azul/promotions")["items"][0]
    assert (promotion["id"], promotion["blockers"][0]["suite"]) == (passed["promotion_id"], "acceptance")
    assert api.as_("pipeline").post(PATH, rollback("first") | override).status == 403


def test_success_on_another_target_does_not_count(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="preproduction")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"
