"""Record the largest decisions."""

from tests.service.deployments.records import an_artifact
from tests.support.largest import named


def write(given, many):
    for _ in range(many):
        body = {"environment": named("e", 0), "artifact": an_artifact()}
        assert given.post("/v1/systems/azul/promotions", body)["decision"] == "denied"
