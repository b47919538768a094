"""The filters and pages of the overview, and the bounds of its bytes and its cost."""

import json

import pytest

from chalicelib.overview import store
from tests.service.overview.test_overview import FIRST, OVERVIEW, SECOND, THIRD, commits
from tests.support.given import ahead
from tests.support.growth import grow, pages_read


def pages(api, query=""):
    """Return the keys of the systems on each page."""
    found, cursor = [], ""
    while cursor is not None:
        answer = api.get(f"{OVERVIEW}?{query}{cursor}")
        found.append([each["key"] for each in answer["items"]])
        cursor = answer["next"] and f"&cursor={answer['next']}"
    return found


@pytest.fixture
def five(given):
    """Five systems. In `bravo` and `echo`, the last attempt failed."""
    for system in ("delta", "alpha", "echo", "charlie", "bravo"):
        given.a_system(system)
        given.an_environment(system=system)
    for system in ("bravo", "echo"):
        given.a_deployment(system=system, state="failed")


def test_pages_have_every_system_once_by_key(api, five):
    assert pages(api, "limit=2") == [["alpha", "bravo"], ["charlie", "delta"], ["echo"]]
    assert pages(api, "limit=5") == [["alpha", "bravo", "charlie", "delta", "echo"]]


def test_the_link_to_the_next_page_has_the_filters(api, five):
    answer = api.get(f"{OVERVIEW}?limit=1&attention=true")

    link = answer.headers["Link"].partition(">")[0].removeprefix("<")

    assert "attention=true" in link
    assert [each["key"] for each in api.get(OVERVIEW + link)["items"]] == ["echo"]


def test_a_filter_fills_a_page_with_what_it_finds(api, five):
    assert pages(api, "attention=true") == [["bravo", "echo"]]
    assert pages(api, "attention=true&limit=1") == [["bravo"], ["echo"]]


def test_a_filter_examines_a_bounded_number_of_systems(api, five, monkeypatch):
    monkeypatch.setattr(store, "MOST_SYSTEMS", 2)

    assert pages(api, "attention=true") == [["bravo"], [], ["echo"]]


def test_a_search_examines_a_bounded_number_of_systems(api, five, monkeypatch):
    monkeypatch.setattr(store, "MOST_SEARCHED", 2)

    assert pages(api, "q=a") == [["alpha", "bravo"], ["charlie", "delta"], []]


def test_a_request_examines_a_bounded_number_of_environments(api, given, five, monkeypatch):
    given.an_environment("production", system="alpha")
    scan = store._SCAN.replace(f"environments_before < {store.MOST_EXAMINED}", "environments_before < 2")
    assert scan != store._SCAN
    monkeypatch.setattr(store, "_SCAN", scan)

    assert pages(api) == [["alpha"], ["bravo", "charlie"], ["delta", "echo"]]
    assert pages(api, "q=e") == [["charlie", "delta"], ["echo"]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("alp", ["alpha"]),
        ("LPH", ["alpha"]),
        ("data%20br", ["azul"]),
        ("browser", ["azul"]),
        ("a", ["alpha", "azul"]),
        ("%25", []),
        ("_", []),
        ("alpha%20", []),
    ],
)
def test_q_finds_a_part_of_the_key_or_the_name_in_any_case(api, given, q, found):
    given.a_system("alpha")
    given.a_system("azul", name="Data Browser")

    assert pages(api, f"q={q}") == [found]


@pytest.mark.parametrize("q", ["", "a" * 101])
def test_a_text_to_find_has_1_to_100_characters(api, q):
    answer = api.get(f"{OVERVIEW}?q={q}")

    assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/q"])


def test_production_leaves_out_other_environments_and_systems_without_any(api, given, five):
    given.the_usual()
    given.a_deployment(FIRST, environment="preproduction")

    items = api.get(f"{OVERVIEW}?production=true")["items"]

    [[production]] = [each["environments"] for each in items]
    assert (production["name"], production["blocked"]["codes"]) == ("production", ["not-verified"])
    assert pages(api, "production=false") == pages(api)


def test_a_target_takes_at_most_350_bytes(api, given):
    for table in ("deployments", "holds", "workspaces"):
        given.sql(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1234567")
    given.a_system("shop", name="Shop")
    for rank, name in enumerate(("dev", "test", "staging", "production"), start=1):
        given.an_environment(
            name, system="shop", rank=rank, base_url=f"https://{name}.shop.example.org", required_soak_seconds=3600
        )
    for environment, artifact in (
        ("dev", THIRD),
        ("test", SECOND),
        ("staging", SECOND),
        ("production", FIRST),
    ):
        given.a_deployment(artifact, environment=environment, system="shop", commits=commits(artifact))
        given.a_verification(environment=environment, system="shop")
    given.a_deployment(THIRD, environment="test", system="shop", state="in_progress")
    given.a_workspace(environment="production", system="shop")
    given.a_freeze(production=True, ends_at=ahead(days=3), system="shop")

    [system] = api.get(OVERVIEW)["items"]

    assert [sorted(each) for each in system["environments"]] == [
        ["current", "name", "rank"],
        ["blocked", "commits_behind", "current", "last_attempt", "name", "rank"],
        ["commits_behind", "current", "name", "rank"],
        [
            *("attention", "blocked", "commits_behind", "current", "holds", "name", "production", "rank"),
            "workspaces",
        ],
    ]
    assert len(json.dumps(system, separators=(",", ":"))) / 4 <= 350


@pytest.mark.slow
def test_the_cost_does_not_grow_with_the_records_of_a_system(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits(*map(str, range(1000))))
    given.an_import(SECOND, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits("a"))
    given.a_verification()

    grow(given, 20)
    few = read(given)
    grow(given, 100)

    assert read(given) < 1.5 * few


def read(given) -> int:
    values = {"only": "NULL", "after": "''", "searched": "50", "q": "NULL", "most": "50", "production": "false"}
    return pages_read(given, store._SCAN % values)
