"""Write the largest verifications, of as many suites as a target may have, for every environment."""

from chalicelib.verifications.model import MOST_SUITES, NewVerification
from tests.support.largest import copy, largest


def write(given, many):
    body = {**largest(NewVerification), "environment": "development", "workspace": "default", "outcome": "failure"}
    for name in ("artifact", "started_at", "finished_at"):
        del body[name]
    for number in range(min(many, MOST_SUITES - 1)):
        given.post("/v1/systems/azul/verifications", {**body, "suite": f"{number:z>64}"})
    copy(
        given,
        "verifications",
        "JOIN environments e ON e.system_id = 1 AND rank > 1 WHERE t.suite LIKE '%z%'",
        environment_id="e.id",
    )
