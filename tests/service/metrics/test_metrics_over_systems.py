"""GET /v1/metrics: the metrics of many systems, by key."""

from chalicelib.metrics.model import MOST_SYSTEMS
from tests.support.largest import copy

OVER_SYSTEMS = "/v1/metrics"
DAY = "2026-01-02T12:00:00Z"


def test_it_has_what_each_system_has(api, given):
    for system in ("shop", "azul"):
        given.a_system(system)
        given.an_environment(system=system)
        given.an_import(system=system, at=DAY)

    listed = api.get(f"{OVER_SYSTEMS}?from=2026-01-01T12:00:00Z&to=2026-01-31T12:00:00Z")["items"]

    window = "from=2026-01-01T12:00:00Z&to=2026-01-31T12:00:00Z"
    assert listed == [api.get(f"/v1/systems/{system}/metrics?{window}").json for system in ("azul", "shop")]


def test_a_page_has_at_most_50_systems(api, given):
    given.a_system("s000")
    copy(given, "systems", f", generate_series(1, {MOST_SYSTEMS}) AS n", key="'s' || to_char(n, 'FM000')")

    first = api.get(f"{OVER_SYSTEMS}?limit=200")
    rest = api.get(f"{OVER_SYSTEMS}?limit=200&cursor={first['next']}")

    assert [each["system"] for each in first["items"]] == [f"s{n:03}" for n in range(MOST_SYSTEMS)]
    assert ([each["system"] for each in rest["items"]], rest["next"]) == ([f"s{MOST_SYSTEMS:03}"], None)


def test_a_viewer_sees_all_systems_and_a_pipeline_its_own(api, given):
    given.a_system_with_an_environment()
    given.a_publisher()
    given.a_system("shop")

    def seen(caller):
        return [each["system"] for each in caller.get(OVER_SYSTEMS)["items"]]

    assert seen(api.as_("viewer")) == ["azul", "shop"]
    assert seen(api.as_run()) == ["azul"]
    assert api.as_(None).get(OVER_SYSTEMS).problem == "unauthenticated"
