"""Rule 8 of docs/registry/rules.md, and how long a lookup may be cached."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.client_routes import rules
from chalicelib.client_routes.model import (
    Destination,
    Followed,
    LookupFacts,
    NewRoute,
    RoutedWorkspace,
    RouteHolder,
    RoutingFacts,
)
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOW + timedelta(days=1)
SECOND = timedelta(seconds=1)
ADDRESS = "https://debug.example.org"


def workspace(**fields: Any) -> RoutedWorkspace:
    defaults: dict[str, Any] = {
        "at": NOW,
        "environment": "production",
        "name": "debug",
        "purpose": "debug",
        "state": "active",
        "expires_at": END,
        "base_url": ADDRESS,
        "hosts": (".example.org",),
    }
    return RoutedWorkspace(**{**defaults, **fields})


def refusal_of(check: Callable[[], None]) -> str | None:
    """Return the slug of the problem that a check raises, None if it raises none."""
    try:
        check()
    except Problem as problem:
        return problem.type.slug
    return None


def kept(until: datetime | None) -> int:
    destination = Destination(client="jane", environment="production", workspace="debug", base_url=None, until=until)
    return rules.seconds_to_keep(destination, NOW)


@pytest.mark.parametrize("client", ["j", "jane@example.org", "A.b_c~d@e:f-g", "auth0|jane+doe", "1" * 128])
def test_valid_names_of_clients_are_accepted(client: str) -> None:
    rules.require_client(client)


@pytest.mark.parametrize("client", ["", "jane doe", "jane/doe", "jane\n", "jäne", "1" * 129, "a?b", "a%20b"])
def test_invalid_names_of_clients_are_not_found(client: str) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_client(client)
    assert refusal.value.type.slug == "not-found"


@pytest.mark.parametrize(
    ("by_client", "by_run", "role", "refusal"),
    [
        (True, False, Role.viewer, None),
        (True, False, Role.pipeline, None),
        (False, False, Role.pipeline, "forbidden"),
        (False, False, Role.maintainer, None),
        (True, True, Role.pipeline, "forbidden"),
        (False, True, Role.admin, "forbidden"),
    ],
)
def test_a_caller_routes_itself_and_a_maintainer_routes_others(
    by_client: bool, by_run: bool, role: Role, refusal: str | None
) -> None:
    assert refusal == refusal_of(
        lambda: rules.require_right("azul", "jane", by_client=by_client, by_run=by_run, role=role)
    )


@pytest.mark.parametrize(
    ("expected", "actual", "hosts", "by_client", "refusal"),
    [
        (ADDRESS, ADDRESS, ("debug.example.org",), False, None),
        (None, ADDRESS, ("debug.example.org",), False, "base-url-not-expected"),
        ("https://other.example.org", ADDRESS, (".example.org",), False, "base-url-not-expected"),
        (None, None, (".example.org",), False, "base-url-not-expected"),
        (ADDRESS, ADDRESS, (), False, "host-not-allowed"),
        (None, ADDRESS, (), True, None),
        (ADDRESS, ADDRESS, (), True, None),
        ("https://other.example.org", ADDRESS, (), True, "base-url-not-expected"),
        (None, None, (), True, "base-url-not-expected"),
    ],
)
def test_a_route_leads_to_a_known_address(
    expected: str | None, actual: str | None, hosts: tuple[str, ...], by_client: bool, refusal: str | None
) -> None:
    new, facts = NewRoute(until=END, base_url=expected), workspace(base_url=actual, hosts=hosts)

    assert refusal == refusal_of(lambda: rules.require_address(new, facts, by_client=by_client))


@pytest.mark.parametrize(
    ("base_url", "allowed"),
    [
        ("https://debug.example.org", True),
        ("https://debug.example.org/stage", True),
        ("https://a.ws.example.org", True),
        ("https://a.b.ws.example.org/", True),
        ("https://ws.example.org", False),
        ("https://aws.example.org", False),
        ("https://x.debug.example.org", False),
        ("https://debug.example.org:8443", False),
        ("https://debug.example.org.evil.example", False),
        ("https://evil.example/debug.example.org", False),
        ("https://evil.example/.ws.example.org", False),
    ],
)
def test_a_host_is_allowed_in_full_or_by_a_suffix(base_url: str, allowed: bool) -> None:
    assert rules.is_allowed(base_url, ("debug.example.org", ".ws.example.org")) is allowed


@pytest.mark.parametrize(
    ("set_by_client", "hosts", "workspace"),
    [
        (True, (), "debug"),
        (False, ("debug.example.org",), "debug"),
        (False, (), "default"),
    ],
)
def test_a_route_of_somebody_else_is_followed_only_while_its_host_is_allowed(
    set_by_client: bool, hosts: tuple[str, ...], workspace: str
) -> None:
    route = Followed(workspace="debug", base_url=ADDRESS, until=END, set_by_client=set_by_client)
    facts = LookupFacts(at=NOW, environment="production", base_url="https://example.org", hosts=hosts, route=route)

    found = rules.destination("jane", facts)

    assert found.workspace == workspace
    assert (found.base_url, found.until) == ((ADDRESS, END) if workspace == "debug" else ("https://example.org", None))


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
