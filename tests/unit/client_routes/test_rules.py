"""Rule 8 of docs/registry/rules.md, and how long a lookup may be cached."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.client_routes import rules
from chalicelib.client_routes.model import Destination, NewRoute, RoutedWorkspace, RouteHolder, RoutingFacts
from chalicelib.rest.problems import Problem
from chalicelib.targets.model import Maker

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOW + timedelta(days=1)
SECOND = timedelta(seconds=1)


def workspace(**fields: Any) -> RoutedWorkspace:
    defaults: dict[str, Any] = {
        "at": NOW,
        "environment": "production",
        "name": "debug",
        "purpose": "debug",
        "state": "active",
        "expires_at": END,
        "made_by": Maker(issuer="https://people", subject="jane", repository_id=None),
    }
    return RoutedWorkspace(**{**defaults, **fields})


def kept(until: datetime | None) -> int:
    destination = Destination(client="jane", environment="production", workspace="debug", base_url=None, until=until)
    return rules.seconds_to_keep(destination, NOW)


@pytest.mark.parametrize("client", ["j", "jane@example.org", "A.b_c~d@e:f-g", "1" * 128])
def test_valid_names_of_clients_are_accepted(client: str) -> None:
    rules.require_client(client)


@pytest.mark.parametrize("client", ["", "jane doe", "jane/doe", "jane\n", "jäne", "1" * 129, "a?b", "a%20b"])
def test_invalid_names_of_clients_are_not_found(client: str) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_client(client)
    assert refusal.value.type.slug == "not-found"


def test_routes_may_lead_to_active_debug_workspaces() -> None:
    rules.require_target(workspace())


@pytest.mark.parametrize("purpose", ["personal", "preview"])
@pytest.mark.parametrize("state", ["active", "expired"])
def test_routes_may_not_lead_to_workspaces_for_other_purposes(purpose: str, state: str) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_target(workspace(purpose=purpose, state=state))
    assert refusal.value.type.slug == "workspace-not-for-debugging"


@pytest.mark.parametrize("state", ["expired", "destroyed"])
def test_routes_may_not_lead_to_inactive_workspaces(state: str) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_target(workspace(state=state))
    assert refusal.value.type.slug == "workspace-not-active"


def test_routes_may_end_with_their_workspace() -> None:
    rules.require_end(NewRoute(until=END), workspace())


@pytest.mark.parametrize("until", [END + timedelta(microseconds=1), NOW, NOW - SECOND])
def test_routes_may_not_end_later_or_in_the_past(until: datetime) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_end(NewRoute(until=until), workspace())
    assert [fault.pointer for fault in refusal.value.errors] == ["#/until"]


def test_a_client_has_one_route() -> None:
    holder = RouteHolder(id="7", workspace="other", until=END)
    rules.require_free("jane", RoutingFacts(at=NOW, own=None, holder=None))

    with pytest.raises(Problem) as refusal:
        rules.require_free("jane", RoutingFacts(at=NOW, own=None, holder=holder))
    assert (refusal.value.type.slug, refusal.value.extra) == ("client-routed", {"holder": holder})


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(86400, 30), (31, 30), (30, 30), (29.999, 29), (1, 1), (0.999, 0), (0, 0), (-1, 0)],
)
def test_a_lookup_is_cached_briefly_and_never_longer_than_its_route(left: float, seconds: int) -> None:
    assert kept(NOW + timedelta(seconds=left)) == seconds


def test_a_lookup_without_a_route_is_cached_as_briefly() -> None:
    assert kept(None) == 30
