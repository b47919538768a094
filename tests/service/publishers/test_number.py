"""The number of publishers is bounded, in a system and in a request: a request of a pipeline evaluates publishers."""

import pytest

from chalicelib.identity.principal import Principal
from chalicelib.publishers.model import MOST_FOR_A_REPOSITORY, MOST_IN_A_SYSTEM, MOST_READ
from tests.support.given import A_PUBLISHER
from tests.support.largest import copy

PATH = "/v1/systems/azul/publishers"


@pytest.mark.parametrize(
    ("most", "changes"), [(MOST_IN_A_SYSTEM, {"repository_id": "n::text"}), (MOST_FOR_A_REPOSITORY, {})]
)
def test_a_system_has_at_most_50_publishers_and_20_for_a_repository(api, given, most, changes):
    given.a_system_with_an_environment()
    last = given.a_publisher()["id"]
    copy(given, "publishers", f", generate_series(2, {most}) AS n", **changes)

    refused = api.post(PATH, A_PUBLISHER)
    api.delete(f"{PATH}/{last}", if_match="*")
    accepted = api.post(PATH, A_PUBLISHER)

    assert (refused.status, refused.problem, accepted.status) == (409, "too-many-publishers", 201)


def test_publishers_for_other_repositories_and_issuers_do_not_count_for_a_repository(api, given):
    given.a_system_with_an_environment()
    given.a_publisher()
    for changes in ({"repository_id": "'75'"}, {"issuer": "'https://token.example.org'"}):
        copy(given, "publishers", f", generate_series(2, {MOST_FOR_A_REPOSITORY}) WHERE t.id = 1", **changes)

    assert api.post(PATH, A_PUBLISHER).status == 201


@pytest.fixture
def read(monkeypatch):
    """The numbers of publishers that requests of pipelines have read."""
    numbers = []
    evaluate = Principal.with_publishers

    def counted(principal, candidates):
        numbers.append(len(candidates))
        return evaluate(principal, candidates)

    monkeypatch.setattr(Principal, "with_publishers", counted)
    return numbers


def test_a_request_reads_only_the_publishers_of_the_system_that_it_names(api, given, read):
    given.a_system("blue")
    given.an_environment(system="blue")
    given.a_publisher(system="blue")
    copy(given, "publishers", f", generate_series(1, {2 * MOST_READ})")
    given.a_system_with_an_environment()
    given.a_publisher()

    answers = [api.as_run().get(path) for path in ("/v1/systems/azul", "/v1/systems/nothing", "/v1/systems", "/v1/me")]

    assert [answer.status for answer in answers] == [200, 403, 200, 200]
    assert read == [1, 0, MOST_READ, MOST_READ]
