"""A cursor holds a position. It is valid only for the list and the filters that it comes from."""

import base64
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import msgspec
import pytest

from chalicelib.rest import paging
from chalicelib.rest.paging import Keyset, cut, link_to_next, page, sparse_page
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import PageQuery


class Row(msgspec.Struct):
    at: datetime
    id: str


class Query(PageQuery, kw_only=True):
    colour: str | None = None
    bright: bool | None = None
    from_: str | None = msgspec.field(default=None, name="from")


ORDER = Keyset(at=datetime, id=str)
MOMENT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROWS = [Row(at=MOMENT, id=str(number)) for number in range(5)]
ADDRESS = "/v1/rows"


def rows(*, limit, after):
    start = 0 if after is None else ROWS.index(Row(*after)) + 1
    return ROWS[start : start + limit]


def refused(cursor, address=ADDRESS, **filters):
    with pytest.raises(Problem) as raised:
        page(address, Query(cursor=cursor, **filters), ORDER, rows)
    return raised.value.type.slug == "cursor-unusable"


def a_cursor(**filters):
    return page(ADDRESS, Query(limit=2, **filters), ORDER, rows).next


def test_a_cursor_gives_back_the_position_to_the_microsecond():
    cursor = ORDER.cursor(ROWS[0], b"bound")

    assert ORDER.after(cursor, b"bound") == (MOMENT, "0")


def test_a_position_may_be_a_single_value():
    order = Keyset(id=str)

    assert order.after(order.cursor(ROWS[3], b"bound"), b"bound") == ("3",)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 200])
def test_pages_together_are_the_list(limit):
    seen, cursor = [], None

    while True:
        part = page(ADDRESS, Query(limit=limit, cursor=cursor), ORDER, rows)
        seen += part.items
        cursor = part.next
        if cursor is None:
            break

    assert seen == ROWS


def test_a_last_page_that_is_exactly_full_has_no_next():
    assert page(ADDRESS, Query(limit=5), ORDER, rows).next is None


def test_the_limit_may_change_between_pages():
    cursor = page(ADDRESS, Query(limit=1), ORDER, rows).next

    assert page(ADDRESS, Query(limit=3, cursor=cursor), ORDER, rows).items == ROWS[1:4]


def test_a_cursor_is_valid_with_its_filters_only():
    assert refused(a_cursor(), colour="blue")
    assert refused(a_cursor(colour="blue"))
    assert refused(a_cursor(colour="blue"), colour="green")
    assert page(ADDRESS, Query(cursor=a_cursor(colour="blue"), colour="blue"), ORDER, rows).items


def test_a_cursor_is_valid_for_its_list_only():
    assert refused(a_cursor(), address="/v1/columns")


def test_a_changed_cursor_is_refused():
    cursor = a_cursor()

    for place, character in enumerate(cursor):
        tampered = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]

        assert refused(tampered)


@pytest.mark.parametrize("more", ["=", "==", "====", "A", "AAAA", "\n", " "])
def test_an_extended_cursor_is_refused(more):
    assert refused(a_cursor() + more)


def test_a_cursor_without_a_valid_seal_is_refused():
    payload = msgspec.json.encode((MOMENT, "0"))

    for seal in (b"", b"\0" * 8):
        assert refused(base64.urlsafe_b64encode(seal + payload).decode().rstrip("="))


@pytest.mark.parametrize("garbage", ["", "a", "ab", "!", "é", "😀", " ", "=", "====", "a=b=", "A" * 1000, "\0", "null"])
def test_garbage_is_refused(garbage):
    assert refused(garbage)


def test_the_link_to_the_next_page_repeats_the_query():
    link = link_to_next(Query(limit=2, colour="light & blue", bright=True, from_="2026"), "next-one")

    target, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    assert target.startswith("<?")
    assert parse_qs(target[2:]) == {
        "limit": ["2"],
        "cursor": ["next-one"],
        "colour": ["light & blue"],
        "bright": ["true"],
        "from": ["2026"],
    }


def test_a_page_of_long_items_ends_early_and_the_next_one_continues_after_its_last_item(monkeypatch):
    monkeypatch.setattr(paging, "MOST_BYTES", 2 * sent(ROWS[0]))

    first = page(ADDRESS, Query(limit=4), ORDER, rows)
    second = page(ADDRESS, Query(limit=4, cursor=first.next), ORDER, rows)

    assert (first.items, second.items) == (ROWS[:2], ROWS[2:4])
    assert second.next is not None


def scan(*, after):
    """Examine two rows; find those whose id is divisible by four."""
    start = 0 if after is None else ROWS.index(Row(*after)) + 1
    examined = ROWS[start : start + 2]
    found = [row for row in examined if int(row.id) % 4 == 0]
    return found, ORDER.position(examined[-1]) if start + 2 < len(ROWS) else None


def test_a_sparse_page_continues_after_what_was_examined():
    pages, cursor = [], None
    while not pages or cursor is not None:
        one = sparse_page(ADDRESS, Query(limit=4, cursor=cursor), ORDER, scan)
        pages.append(one.items)
        cursor = one.next

    assert pages == [[ROWS[0]], [], [ROWS[4]]]


def test_a_sparse_page_that_is_full_continues_after_its_last_item():
    def all_of_them(*, after):
        return rows(limit=5, after=after), None

    first = sparse_page(ADDRESS, Query(limit=3), ORDER, all_of_them)

    assert first.items == ROWS[:3]
    assert sparse_page(ADDRESS, Query(limit=3, cursor=first.next), ORDER, all_of_them).items == ROWS[3:]


def test_a_page_has_one_item_however_long(monkeypatch):
    monkeypatch.setattr(paging, "MOST_BYTES", 1)

    first = page(ADDRESS, Query(limit=4), ORDER, rows)

    assert first.items == ROWS[:1]
    assert page(ADDRESS, Query(limit=4, cursor=first.next), ORDER, rows).items == ROWS[1:2]


def test_a_quote_counts_as_often_as_lambda_escapes_it():
    texts = ['"' * 10, "\\" * 10, "\x01" * 10, "\u00e9" * 10]

    for text in texts:
        assert cut([text, text], 2, 2 * sent(text)) == ([text, text], False)
        assert cut([text, text], 2, 2 * sent(text) - 1) == ([text], True)


def sent(value):
    """Return the bytes of a value's JSON as a part of a text in JSON."""
    body = msgspec.json.encode(value).decode()
    return len(json.dumps(body, ensure_ascii=False).encode()) - len('""')
