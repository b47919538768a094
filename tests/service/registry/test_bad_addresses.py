"""Every write of records refuses the name of an environment that the system does not have."""

import pytest

from tests.service.deployments.records import an_artifact


@pytest.mark.parametrize("resource", ["deployments", "verifications", "promotions"])
def test_a_body_that_names_an_unknown_environment_is_not_found(api, given, resource):
    given.a_system("blue")
    given.an_environment("elsewhere", system="blue")
    given.a_system()
    body = {"environment": "elsewhere", "artifact": an_artifact()}
    if resource == "verifications":
        at = "2026-01-01T00:00:00Z"
        body |= {"suite": "acceptance", "trigger": "manual", "outcome": "success", "imported": True}
        body |= {"started_at": at, "finished_at": at}

    answer = api.post(f"/v1/systems/azul/{resource}", body)

    assert (answer.status, answer.problem) == (404, "not-found")
