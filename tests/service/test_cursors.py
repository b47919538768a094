"""Cursors: good for the list and the filters that gave them, and whatever else is sent for one is refused."""

import base64

import msgspec
import pytest

from chalicelib.rest import paging
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.types import PageQuery
from tests.support.given import an_artifact
from tests.support.hostile import HOSTILE

LISTS = [each for each in OPERATIONS if each.query is not None and issubclass(each.query, PageQuery)]

of_every_list = pytest.mark.parametrize("operation", LISTS, ids=lambda each: each.path)


@of_every_list
def test_a_cursor_goes_on_where_the_page_before_ended(api, several, operation):
    address = _address(operation)
    whole = api.get(address)["items"]

    first = api.get(f"{address}?limit=1")
    second = api.get(f"{address}?limit=200&cursor={first['next']}")

    assert first["items"] + second["items"] == whole


@of_every_list
def test_a_cursor_that_was_tampered_with_is_refused(api, several, operation):
    address = _address(operation)
    cursor = api.get(f"{address}?limit=1")["next"]
    tampered = [
        cursor[:-1],
        cursor[1:],
        cursor[:8],
        cursor + "A",
        cursor + "AAAA",
        cursor + "=",
        cursor + "==",
        cursor + "====",
        cursor * 2,
        cursor.swapcase(),
        cursor[::-1],
        "+" + cursor,
        " " + cursor,
        cursor + "\n",
    ]

    for each in tampered:
        assert _refused(api, address, each), each


@of_every_list
def test_what_never_was_a_cursor_is_refused(api, several, operation):
    for each in ["", "null", "0", "A" * 1000, "\ufffd", "..", *HOSTILE.values()]:
        assert _refused(api, _address(operation), each), each


@of_every_list
def test_a_cursor_of_1001_characters_is_refused_by_name(api, several, operation):
    answer = api.get(f"{_address(operation)}?cursor={'A' * 1001}")

    assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/cursor"])


@of_every_list
def test_a_cursor_is_of_one_list_alone(api, several, operation):
    cursors = {other: api.get(f"{_address(other)}?limit=1")["next"] for other in LISTS if other is not operation}
    if "{system}" in operation.path and "{id}" not in operation.path:
        cursors["another system"] = api.get(f"{_address(operation, 'blue')}?limit=1")["next"]

    for of_another in cursors.values():
        assert of_another
        assert _refused(api, _address(operation), of_another)


@pytest.mark.parametrize(
    ("resource", "given_for", "used_for"),
    [
        ("deployments", "environment=development", "environment=production"),
        ("deployments", "state=succeeded", ""),
        ("deployments", "", "kind=rollout"),
        ("deployments", "from=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:01Z"),
        ("deployments", "from=2020-01-01T00:00:00Z", "to=2020-01-01T00:00:00Z"),
        ("verifications", "outcome=success", "trigger=deployment"),
        ("promotions", "decision=granted", ""),
    ],
)
def test_a_cursor_is_of_its_filters_alone(api, several, resource, given_for, used_for):
    address = f"/v1/systems/azul/{resource}"
    cursor = api.get(f"{address}?limit=1&{given_for}")["next"]

    answer = api.get(f"{address}?cursor={cursor}&{used_for}")

    assert (answer.status, answer.problem) == (400, "cursor-unusable")
    assert api.get(f"{address}?cursor={cursor}&{given_for}").status == 200


@of_every_list
def test_a_sealed_cursor_that_holds_what_no_row_has_is_refused(api, several, operation):
    # The seal is no secret: whoever reads the code can make one.
    address = _address(operation)
    *moment, key = _position(api.get(f"{address}?limit=1")["next"])
    keys = [None, True, 1.5, -1, 2**63, 2**64, 1e300, "", "Abc", "-1", "0", str(2**63), "a\0", [], {}]
    moments = ["", "now", "infinity", "2026-13-01T00:00:00Z", "20000-01-01T00:00:00Z", "2026-01-01T00:00:00", 0]
    positions = [
        *([*moment, wrong] for wrong in [*keys, *HOSTILE.values()]),
        *([wrong, key] for wrong in moments if moment),
        *(moment, [*moment, key, key], [], {}, None, "text"),
    ]

    for payload in [*map(msgspec.json.encode, positions), b"", b"{", b"\xff", b'["\\ud800"]', b"[" * 700]:
        assert _refused(api, address, _sealed(operation, address, payload)), payload
    right = _sealed(operation, address, msgspec.json.encode([*moment, key]))
    assert api.get(f"{address}?cursor={right}").status == 200


@pytest.fixture
def several(api, given):
    """At least two of everything that is listed, in each of two systems."""
    for system in ("azul", "blue"):
        given.a_system(system)
        given.an_environment("development", system=system)
        given.an_environment("production", system=system)
        for name in ("first", "second"):
            given.a_deployment(an_artifact(name), system=system)
            given.a_verification(system=system)
        for name in ("first", "second"):
            given.a_workspace(name, system=system)
        [*_, first] = api.get(f"/v1/systems/{system}/workspaces")["items"]
        for client in ("jane", "joe"):
            given.a_route(first["id"], client, system=system)
        for ref in ("refs/heads/main", "refs/heads/other"):
            given.a_publisher(system=system, ref=ref)


def _address(operation, system="azul"):
    return operation.path.format_map({"system": system, "id": "1"})


def _refused(api, address, cursor):
    event = {"multiValueQueryStringParameters": {"cursor": [cursor]}}
    answer = api.send("GET", address, event=event)
    return (answer.status, answer.problem) == (400, "cursor-unusable")


def _position(cursor):
    return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[paging._DIGEST_BYTES :])


def _sealed(operation, address, payload):
    """The cursor that the list would give if it stood there."""

    class Anywhere(paging.Keyset):
        def position(self, row):
            return msgspec.Raw(payload)

    return paging.page(address, operation.query(limit=1), Anywhere(id=str), lambda **_: [None, None]).next
