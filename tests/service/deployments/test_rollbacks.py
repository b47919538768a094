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


def test_success_on_another_target_does_not_count(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="preproduction")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"
