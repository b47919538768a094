"""Write the largest verifications, of as many suites as a deployment may have, for every environment."""

from chalicelib.verifications.model import MOST_SUITES, NewVerification
from tests.support.largest import copy, largest

FROM_THE_DEPLOYMENT = ("environment", "workspace", "artifact", "started_at", "finished_at")


def write(given, many):
    body = {name: value for name, value in largest(NewVerification).items() if name not in FROM_THE_DEPLOYMENT}
    body |= {"deployment": given.what_runs(), "outcome": "failure"}
    for number in range(min(many, MOST_SUITES - 1)):
        given.post("/v1/systems/azul/verifications", {**body, "suite": f"{number:z>64}"})
    copy(
        given,
        "verifications",
        "JOIN environments e ON e.system_id = 1 AND rank > 1 WHERE t.suite LIKE '%z%'",
        environment_id="e.id",
        deployment_id="(SELECT max(id) FROM deployments WHERE environment_id = e.id)",
    )
