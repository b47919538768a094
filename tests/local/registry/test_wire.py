"""Send unusual requests about records to the service, over real HTTP."""

from collections.abc import Iterator

import pytest

from tests.local.test_wire import SEGMENTS
from tests.service.deployments.records import an_artifact
from tests.support.contract import Contract
from tests.support.postgres import Clones
from tests.support.served import Served, served


@pytest.fixture(scope="module")
def api(clones: Clones, contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The served API, with the system azul, its environment development and one deployment there."""
    address = clones.new()
    with served(address, contract, tmp_path_factory.mktemp("issuer")) as api:
        body = {"environment": "development", "artifact": an_artifact()}
        for path, given in {
            "/v1/systems": {"key": "azul", "name": "Azul"},
            "/v1/systems/azul/environments": {"name": "development", "rank": 1},
            "/v1/systems/azul/deployments": body,
            "/v1/systems/azul/deployments/1/statuses": {"state": "succeeded"},
        }.items():
            assert api.ask("POST", path, given).status == 201
        yield api
    clones.drop(address)


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_path_segment_that_names_nothing_is_not_found(api: Served, segment: str) -> None:
    for target in (
        f"/v1/systems/{segment}/state",
        f"/v1/systems/azul/deployments/{segment}",
        f"/v1/systems/azul/artifacts/{segment}",
    ):
        answer = api.ask("GET", target)

        assert (answer.status, answer.problem) == (404, "not-found")
        assert answer.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "artifact",
    [
        an_artifact(),
        an_artifact().replace(":", "%3A"),
        "".join(f"%{ord(character):02x}" for character in an_artifact()),
    ],
)
def test_a_differently_encoded_artifact_is_the_same(api: Served, artifact: str) -> None:
    answer = api.ask("GET", f"/v1/systems/azul/artifacts/{artifact}")

    assert (answer.status, answer.json["system"]) == (200, "azul")


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("kind=rollout&limit=1&kind=rollout", ["#/kind"]),
        ("state=succeeded&state=", ["#/state"]),
        ("environment=%F0%9F%9A%80", ["#/environment"]),
        ("environment=\U0001f680", ["#/environment"]),
        ("artifact=..%2F..", ["#/artifact"]),
        ("from=2026-01-01T00:00:00+00:00", ["#/from"]),
    ],
)
def test_invalid_parameters_are_refused_by_name(api: Served, query: str, pointers: list[str]) -> None:
    answer = api.ask("GET", f"/v1/systems/azul/deployments?{query}")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer.json["errors"]] == pointers


@pytest.mark.parametrize("query", ["", "limit=200", "%6C%69mit=1", "from=2026-01-01T00:00:00%2B00:00"])
def test_parameters_may_be_encoded_in_several_ways(api: Served, query: str) -> None:
    assert len(api.ask("GET", f"/v1/systems/azul/deployments?{query}").json["items"]) == 1
