"""The number of a system's publishers is bounded: each request of a pipeline reads those of its repository."""

from chalicelib.publishers.model import MOST_IN_A_SYSTEM
from tests.support.given import A_PUBLISHER
from tests.support.largest import copy


def test_a_system_has_at_most_100_publishers(api, given):
    given.a_system_with_an_environment()
    last = given.a_publisher()["id"]
    copy(given, "publishers", f", generate_series(2, {MOST_IN_A_SYSTEM})")

    refused = api.post("/v1/systems/azul/publishers", A_PUBLISHER)
    api.delete(f"/v1/systems/azul/publishers/{last}", if_match="*")
    accepted = api.post("/v1/systems/azul/publishers", A_PUBLISHER)

    assert (refused.status, refused.problem, accepted.status) == (409, "too-many-publishers", 201)
