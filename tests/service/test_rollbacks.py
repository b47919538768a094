"""Rule 2 of docs/design.md: back to what was good on the target before."""

from tests.support.given import an_artifact

PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


def rollback(artifact="first", environment="production"):
    return {"environment": environment, "artifact": an_artifact(artifact), "kind": "rollback"}


def test_production_goes_back_to_what_was_good_before(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.as_("pipeline").post(PATH, rollback("first"))

    assert (answer.status, answer["promotion_id"]) == (201, None)


def test_what_never_succeeded_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production", state="failed")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_what_runs_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"


def test_what_failed_its_latest_verification_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="error")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_what_succeeded_after_it_failed_there_is_a_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="success")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).status == 201


def test_success_elsewhere_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="preproduction")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"
