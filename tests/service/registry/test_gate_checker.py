"""The second implementation of the gate, which judges the service under faults, finds what each override passed."""

from typing import get_args

from chalicelib.promotions.model import BlockerCode
from tests.service.deployments.records import an_artifact
from tests.service.registry.gate_checker import Records
from tests.support.given import Given, ahead


def test_the_checker_says_the_same_as_the_gate_about_every_code(given: Given) -> None:
    first, second = an_artifact("first"), an_artifact("second")
    given.the_usual(
        required_suites=["acceptance"],
        required_soak_seconds=3600,
        required_approvals=1,
        verification_max_age_seconds=600,
    )
    holds = "/v1/systems/azul/holds"

    def into_production(artifact: str = first) -> None:
        given.a_deployment(artifact, environment="production")

    into_production()
    for artifact in (first, second):
        given.a_deployment(artifact, environment="preproduction")
    into_production(second)
    deployment = given.a_deployment(first, environment="preproduction")
    given.a_verification(deployment["id"], suite="load", outcome="failure")
    given.a_verification(deployment["id"], suite="acceptance")
    into_production()
    given.time_passes(1800)
    given.post(holds, {"kind": "freeze", "environment": "production", "ends_at": ahead(hours=1), "reason": "A release"})
    given.post(holds, {"kind": "pin", "environment": "production", "artifact": second, "reason": "It works"})
    given.post(holds, {"kind": "bad", "artifact": first, "reason": "It loses data"})
    into_production()
    given.a_deployment(second, environment="production", kind="rollback")
    into_production()
    given.a_deployment(second, environment="preproduction", kind="rollback")
    into_production()

    records = Records(given.sql)
    overridden = {code for each in records.deployments for code in each.overridden or ()}
    assert records.wrong() == []
    assert overridden == {*get_args(BlockerCode)}
    for each in records.deployments:
        each.overridden = None
    assert len(records.wrong()) >= 7
