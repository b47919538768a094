"""A cursor is valid only for the list and the filters that it comes from. Any other cursor is refused."""

import base64

import msgspec
import pytest

from chalicelib.rest import paging
from tests.support.hostile import HOSTILE
from tests.support.operations import LISTS, READS, address
from tests.support.writes import require_two


@pytest.fixture
def lists(api, given):
    """All lists that have at least two rows, by address."""
    for system in ("azul", "blue"):
        given.two_of_everything(system)
    return {address(each): each for each in LISTS if len(api.get(address(each))["items"]) >= 2}


def test_two_of_everything_covers_every_read(api, lists):
    found = {each.path for each in READS if api.get(address(each)).status == 200}
    found -= {each.path for each in LISTS if address(each) not in lists}

    require_two(found)


def test_a_cursor_continues_after_the_page_before(api, lists):
    for path in lists:
        whole = api.get(f"{path}?limit=200")["items"]

        first = api.get(f"{path}?limit=1")
        second = api.get(f"{path}?limit=200&cursor={first['next']}")

        assert first["items"] + second["items"] == whole, path


def test_a_page_that_ends_early_loses_no_item(api, lists, monkeypatch):
    for path in lists:
        whole = api.get(path)["items"]

        with monkeypatch.context() as shorter:
            shorter.setattr(paging, "MOST_BYTES", 1)
            first = api.get(f"{path}?limit=200")
            second = api.get(f"{path}?limit=200&cursor={first['next']}")

        assert first["items"] + second["items"] == whole[:2], path


def test_a_changed_cursor_is_refused(api, lists):
    for path in lists:
        cursor = api.get(f"{path}?limit=1")["next"]
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

        assert [each for each in tampered if not _refused(api, path, each)] == [], path


def test_a_text_that_is_no_cursor_is_refused(api, lists):
    for path in lists:
        never = ["", "null", "0", "A" * 1000, "\ufffd", "..", *HOSTILE.values()]

        assert [each for each in never if not _refused(api, path, each)] == [], path


def test_a_cursor_of_1001_characters_is_refused_by_name(api, lists):
    for path in lists:
        answer = api.get(f"{path}?cursor={'A' * 1001}")

        assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/cursor"]), path


def test_a_cursor_is_valid_for_its_list_only(api, lists):
    cursors = {path: api.get(f"{path}?limit=1")["next"] for path in lists}

    for path, operation in lists.items():
        others = [cursor for other, cursor in cursors.items() if other != path]
        if "{system}" in operation.path and "{id}" not in operation.path:
            others.append(api.get(f"{address(operation, 'blue')}?limit=1")["next"])

        assert all(others)
        assert [each for each in others if not _refused(api, path, each)] == [], path


@pytest.mark.parametrize(
    ("given_for", "used_for"),
    [
        ("system=azul", "system=blue"),
        ("action=environment.create", ""),
        ("", "principal=admin@local"),
        ("from=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:01Z"),
        ("from=2020-01-01T00:00:00Z", "to=2020-01-01T00:00:00Z"),
    ],
)
def test_a_cursor_is_valid_with_its_filters_only(api, given, given_for, used_for):
    given.two_of_everything()
    path = "/v1/audit-events"
    cursor = api.get(f"{path}?limit=1&{given_for}")["next"]

    answer = api.get(f"{path}?cursor={cursor}&{used_for}")

    assert (answer.status, answer.problem) == (400, "cursor-unusable")
    assert api.get(f"{path}?cursor={cursor}&{given_for}").status == 200


def test_a_sealed_cursor_with_an_impossible_position_is_refused(api, lists):
    # The seal needs no secret, so anyone who has the code can make a sealed cursor.
    for path, operation in lists.items():
        *moment, key = _position(api.get(f"{path}?limit=1")["next"])
        keys = [None, True, 1.5, -1, 2**63, 2**64, 1e300, "", "Abc", "-1", "0", str(2**63), "a\0", [], {}]
        moments = ["", "now", "infinity", "2026-13-01T00:00:00Z", "20000-01-01T00:00:00Z", "2026-01-01T00:00:00", 0]
        positions = [
            *([*moment, wrong] for wrong in [*keys, *HOSTILE.values()]),
            *([wrong, key] for wrong in moments if moment),
            *(moment, [*moment, key, key], [], {}, None, "text"),
        ]

        for payload in [*map(msgspec.json.encode, positions), b"", b"{", b"\xff", b'["\\ud800"]', b"[" * 700]:
            assert _refused(api, path, _sealed(operation, path, payload)), (path, payload)
        right = _sealed(operation, path, msgspec.json.encode([*moment, key]))
        assert api.get(f"{path}?cursor={right}").status == 200, path


def _refused(api, path, cursor):
    event = {"multiValueQueryStringParameters": {"cursor": [cursor]}}
    answer = api.send("GET", path, event=event)
    return (answer.status, answer.problem) == (400, "cursor-unusable")


def _position(cursor):
    return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[paging._DIGEST_BYTES :])


def _sealed(operation, path, payload):
    """Return a cursor of the list with a valid seal and the position `payload`."""

    class Anywhere(paging.Keyset):
        def position(self, row):
            return msgspec.Raw(payload)

    return paging.page(path, operation.query(limit=1), Anywhere(id=str), lambda **_: [None, None]).next
