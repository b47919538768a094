"""Two environments that would write to one exclusive instance are found before they do."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tools.local.acceptance.service import Answer, Service


def put(service: Service, system: str, environment: str, *bindings: dict[str, Any], dry_run: bool = False) -> Answer:
    address = f"{system}/environments/{environment}/bindings"
    return service.ask("PUT", address, {"bindings": bindings, "dry_run": dry_run}, {"If-Match": "*"})


@pytest.fixture
def bound(service: Service, system: str, idle: None) -> Iterator[dict[str, Any]]:
    """A binding of the environment development, which ends with the test."""
    instance = f"https://{secrets.token_hex(8)}.example.org"
    binding = {"dependency": "orders", "instance": instance, "access": "read_write", "exclusive": False}
    put(service, system, "development", binding).expect(200)
    yield binding
    put(service, system, "development").expect(200)


def test_crosstalk_is_reported_and_refused_if_a_binding_is_exclusive(
    service: Service, system: str, bound: dict[str, Any]
) -> None:
    reported = put(service, system, "preproduction", bound, dry_run=True).expect(200)
    refused = put(service, system, "preproduction", {**bound, "exclusive": True}, dry_run=True).expect(409)

    assert [each["instance"] for each in reported.json["crosstalk"]] == [bound["instance"]]
    assert refused.problem == "crosstalk-refused"
    assert "development" in refused.json["detail"], f"{refused}: the problem must name the other environment"
    listed = service.get(f"{system}/crosstalk?all=true").expect(200).json["items"]
    assert [each["crosstalk"] for each in listed if each["instance"] == bound["instance"]] == [False], (
        "a dry run has changed the bindings, or a binding is not listed"
    )
