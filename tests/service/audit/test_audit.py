"""Reading the audit trail: allowed callers, filters, and pages whose cost does not grow with the trail."""

import pytest

from chalicelib.identity.roles import Role
from chalicelib.rest.operation import OPERATIONS
from tests.support.expected import WHOLE, Expected
from tools.checks.bench.exchanges import recorded

EXPECTED = Expected(
    roles={
        "GET /v1/audit-events": Role.maintainer,
    },
    rights={
        "audit_events": {
            "SELECT": WHOLE,
            "INSERT": "all but id at",
        },
    },
    out_of_reach={
        "audit_events_are_not_truncated": "the service has no right to truncate a table",
    },
)


PATH = "/v1/audit-events"


@pytest.fixture
def trail(api, given):
    """Make two systems, and audit events of several principals in these systems."""
    given.the_usual()
    given.a_system("blue")
    given.an_environment(system="blue")
    api.as_("maintainer").patch("/v1/systems/azul", {"name": "Blue"}, if_match="*")
    api.as_("viewer").patch("/v1/systems/azul", {}, if_match="*")


def told(api, query=""):
    """Return the action, the system and the principal of each listed event."""
    return [(each["action"], each["system"], each["principal"]) for each in api.get(f"{PATH}?{query}")["items"]]


def test_events_are_listed_newest_first_with_their_changes(api, given):
    given.a_system()
    changed = api.patch("/v1/systems/azul", {"name": "Blue"}, if_match="*")

    newest, oldest = api.get(PATH)["items"]

    assert (newest["action"], newest["before"], newest["after"]) == (
        "system.change",
        {"name": "Azul"},
        {"name": "Blue"},
    )
    assert (newest["resource"], newest["refusal"]) == ("azul", None)
    assert newest["request_id"] == changed.headers["X-Request-Id"]
    assert (oldest["action"], oldest["before"], oldest["after"]["key"]) == ("system.create", None, "azul")


def test_refusals_are_listed_too(api, trail):
    refusal = api.get(PATH)["items"][0]

    assert (refusal["action"], refusal["system"], refusal["principal"]) == ("system.change", "azul", "viewer@local")
    assert (refusal["refusal"], refusal["before"], refusal["after"]) == ("forbidden", None, None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 8),
        ("system=azul", 6),
        ("system=blue", 2),
        ("system=green", 0),
        ("principal=admin@local", 6),
        ("principal=ADMIN@local", 0),
        ("action=environment.create", 4),
        ("action=environment.create&system=azul", 3),
        ("action=environment.create&system=azul&principal=viewer@local", 0),
        ("from=2100-01-01T00:00:00Z", 0),
        ("to=2020-01-01T00:00:00Z", 0),
        ("from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z", 8),
    ],
)
def test_events_can_be_filtered(api, trail, query, count):
    assert len(told(api, query)) == count


def test_a_period_includes_its_start_and_excludes_its_end(api, trail):
    events = api.get(PATH)["items"]
    moment = events[3]["at"]

    assert api.get(f"{PATH}?from={moment}")["items"] == events[:4]
    assert api.get(f"{PATH}?to={moment}")["items"] == events[4:]


def test_pages_hold_every_event_once(api, trail):
    events = api.get(PATH)["items"]
    page = api.get(f"{PATH}?limit=3")
    seen = page["items"]
    while page["next"]:
        page = api.get(f"{PATH}?limit=3&cursor={page['next']}")
        seen += page["items"]

    assert seen == events


def test_pages_hold_every_event_once_even_with_equal_times(api, given):
    given.sql(
        """
        INSERT INTO audit_events (at, issuer, principal, action, resource, request_id)
        SELECT '2026-01-01', '', 'somebody', 'thing.do', n, '' FROM generate_series(1, 3) AS n
        """
    )

    first = api.get(f"{PATH}?limit=2")
    second = api.get(f"{PATH}?limit=2&cursor={first['next']}")

    assert [each["resource"] for each in first["items"] + second["items"]] == ["3", "2", "1"]


def test_events_can_be_filtered_by_every_action(api):
    for action in (each.action for each in OPERATIONS if each.writes):
        assert api.get(f"{PATH}?action={action}").status == 200, action


def test_a_maintainer_reads_only_events_of_their_system(api, trail):
    for maintainer in (api.as_("maintainer"), api.as_member("azul-maintainers"), api.as_member("all-maintainers")):
        assert len(told(maintainer, "system=azul")) == 6
        assert maintainer.get(PATH).problem == "forbidden"
    assert api.as_("maintainer").get(f"{PATH}?system=blue").problem == "forbidden"
    assert api.as_("maintainer").get(f"{PATH}?system=azul&system=blue").status in (403, 422)
    assert api.as_("maintainer").get(f"{PATH}?system=blue&system=azul").status in (403, 422)


@pytest.mark.parametrize("who", ["viewer", "pipeline"])
def test_other_callers_may_not_read_it(api, trail, who):
    assert api.as_(who).get(PATH).problem == "forbidden"
    assert api.as_(who).get(f"{PATH}?system=azul").problem == "forbidden"


def test_a_deleted_system_keeps_its_events(api, given):
    given.a_system()
    api.delete("/v1/systems/azul", if_match="*")

    assert [action for action, *_ in told(api, "system=azul")] == ["system.delete", "system.create"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "system=rare",
        "principal=rare",
        "action=rare.thing",
        "to=2026-06-01T00:00:00Z",
        "system=frequent&action=frequent.thing",
    ],
)
def test_a_page_is_read_from_an_index(api, given, query):
    given.sql(
        """
        INSERT INTO audit_events (at, system_key, issuer, principal, action, resource, request_id)
        OVERRIDING USER VALUE
        SELECT '2026-01-01'::timestamptz + n * interval '10 minutes',
            CASE WHEN n % 1000 = 1 THEN 'rare' ELSE 'frequent' END, '',
            CASE WHEN n % 1000 = 2 THEN 'rare' ELSE 'frequent' END,
            CASE WHEN n % 1000 = 3 THEN 'rare.thing' ELSE 'frequent.thing' END, 'thing', ''
        FROM generate_series(1, 50000) AS n
        """
    )
    given.sql("ANALYZE audit_events")

    with recorded() as exchanges:
        assert len(api.get(f"{PATH}?{query}")["items"]) == 50

    plan = [line for (line,) in given.sql(f"EXPLAIN {exchanges[0].message}")]
    assert any("Index Scan using" in line for line in plan), plan
    assert not any("Sort" in line or "Seq Scan" in line for line in plan), plan
