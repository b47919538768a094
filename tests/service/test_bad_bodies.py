"""Every operation with a body refuses invalid bodies, names the place of the fault, and changes nothing."""

import json
from datetime import datetime
from urllib.parse import quote

import pytest

from tests.support.hostile import HOSTILE, HOSTILE_ASCII
from tests.support.operations import DOCUMENT, OPERATIONS, fits, route_of
from tests.support.sample import A_VOYAGE, VOYAGES
from tests.support.writes import WRITES, everything, send

BODIES = [route_of(each) for each in OPERATIONS if each.body is not None and route_of(each) in WRITES]
MEBIBYTE = 1024 * 1024

of_every_body = pytest.mark.parametrize("route", BODIES)

MALFORMED = {
    "an empty body": b"",
    "white space": b" \n",
    "half an object": b"{",
    "text that is not JSON": b"key=azul",
    "two values": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": "b"}'.encode("utf-16"),
    "a bare NUL": b'{"a": "\x00"}',
    "a key twice": b'{"a": 1, "a": 1}',
    "a nested key twice": b'{"a": [{"b": 1, "\\u0062": 1}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": [-Infinity]}',
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "half a surrogate pair in a key": b'{"\\udc00": 1}',
    "nested arrays": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "brackets that never close": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 100,000 digits": b'{"a": ' + b"1" * 100_000 + b"}",
}

# A test sends each value in all fields of a body at once.
VALUES = [
    None,
    True,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    -(2**63) - 1,
    1e300,
    "",
    "Azul",
    "0" * 39,
    "A" * 40,
    "tree:" + "0" * 39,
    "sha256:" + "0" * 40,
    "x" * 2001,
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00+0000",
    "2026-01-01T12:00:60Z",
    "2026-01-01T12:00:00.Z",
    "2026-01-01",
    "20000-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "infinity",
    "-infinity",
    "now",
    "1767225600",
    [],
    [None],
    [[]],
    {},
    {"sha": "0" * 40},
    *HOSTILE.values(),
]


@of_every_body
def test_another_content_type_is_refused(api, given, route):
    write, before = _prepared(given, route)

    for content_type in (None, "", "text/plain", "application/x-www-form-urlencoded", "*/*", "\ud800"):
        answer = send(api, route, write, content_type=content_type)

        assert (answer.status, answer.problem) == (415, "unsupported-media-type"), repr(content_type)
    assert everything(given) == before


@of_every_body
def test_a_body_that_is_no_json_is_malformed(api, given, route):
    write, before = _prepared(given, route)

    answers = {what: send(api, route, write._replace(body=body)) for what, body in MALFORMED.items()}

    assert {what: (each.status, each.problem) for what, each in answers.items()} == dict.fromkeys(
        MALFORMED, (400, "malformed")
    )
    assert everything(given) == before


@of_every_body
def test_a_body_has_at_most_the_bytes_that_its_operation_allows(api, given, route):
    write, before = _prepared(given, route)
    just_fits = json.dumps(write.body).ljust(_body(route).max_bytes)

    refused = send(api, route, write._replace(body=just_fits + " "))

    assert (refused.status, refused.problem) == (413, "too-large")
    assert everything(given) == before
    assert send(api, route, write._replace(body=just_fits)).status < 300


@of_every_body
def test_a_body_that_is_no_object_is_refused(api, given, route):
    write, before = _prepared(given, route)

    for body in ("null", "true", "1", '"text"', "[]", "[{}]"):
        answer = send(api, route, write._replace(body=body))

        assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", ["#"])
    assert everything(given) == before


@of_every_body
def test_an_unknown_field_is_refused_by_name(api, given, route):
    write, before = _prepared(given, route)

    for name in ("colour", "id", "__proto__", "a/b", *HOSTILE.values()):
        answer = send(api, route, write._replace(body={**write.body, name: 1}))

        pointer = "#/" + name.replace("~", "~0").replace("/", "~1")
        assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", [pointer])
    assert everything(given) == before


@of_every_body
def test_invalid_values_of_fields_are_refused_by_name(api, given, route):
    write, before = _prepared(given, route)
    fields = _schema(route)["properties"]
    misfits = [(value, {name for name in fields if not fits(value, fields[name])}) for value in VALUES]
    assert any(wrong for _, wrong in misfits)

    for value, wrong in misfits:
        if not wrong:
            continue  # every field accepts the value
        answer = send(api, route, write._replace(body=dict.fromkeys(fields, value)))

        assert (answer.status, answer.problem) == (422, "invalid"), value
        assert {pointer.split("/")[1] for pointer in _pointers(answer)} == wrong, value
    assert everything(given) == before


@of_every_body
def test_infinite_numbers_and_escaped_nul_are_refused(api, given, route):
    write, before = _prepared(given, route)
    field = next(iter(_schema(route)["properties"]))

    for value, pointer in {"1e999": f"#/{field}", "-1e999": f"#/{field}", r'"a\u0000b"': "#"}.items():
        answer = send(api, route, write._replace(body=f'{{"{field}": {value}}}'))

        assert (answer.status, answer.problem) == (422, "invalid")
        assert pointer in _pointers(answer)
    assert everything(given) == before


@of_every_body
def test_a_refusal_stays_small_for_a_large_body(api, given, route):
    # Lambda refuses an answer above 6 MB, so the caller would not learn of the faults.
    write, _ = _prepared(given, route)

    for body in ({f"field-{number}": 1 for number in range(2000)}, {'"' * 50_000: 1}):
        answer = send(api, route, write._replace(body=body))

        assert (answer.status, answer.problem) == (422, "invalid")
        assert len(answer.body) < 20_000


def test_a_long_value_is_shortened_and_not_searched_for_a_place(api):
    # msgspec quotes the value in its message. Searching the whole message for the faulty field took 15 minutes.
    looks_like_a_place = " - at `$" * (MEBIBYTE // 10)

    answer = api.post("/v1/systems", {"artifact_kind": looks_like_a_place})

    assert "#/artifact_kind" in _pointers(answer)
    assert len(answer.body) < 5_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_returned_unchanged(api, given, text):
    given.a_system("azul", name=text, description=text)

    system = api.get("/v1/systems/azul")
    listed = api.get("/v1/systems")["items"]
    changed = api.patch("/v1/systems/azul", {"name": text[::-1]}, if_match=system.headers["ETag"])

    assert (system["name"], system["description"], changed["name"]) == (text, text, text[::-1])
    assert listed == [system.json]
    assert given.sql("SELECT after->>'name' FROM audit_events WHERE action = 'system.create'") == [(text,)]


@pytest.mark.parametrize("text", HOSTILE_ASCII.values(), ids=HOSTILE_ASCII)
def test_a_hostile_url_is_returned_unchanged(api, given, text):
    url = f"https://example.org/{text}"
    given.a_system("azul", repository=url)

    assert api.get("/v1/systems/azul")["repository"] == url


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+16:00"])
def test_a_time_may_have_any_offset(api, given, offset):
    # PostgreSQL refuses offsets of 16 hours or more, so the service converts times to UTC.
    given.a_system()
    [event] = api.get("/v1/audit-events")["items"]
    zone = datetime.strptime(offset, "%z").tzinfo
    at = quote(datetime.fromisoformat(event["at"]).astimezone(zone).isoformat())

    assert at.endswith(quote(offset))
    assert api.get(f"/v1/audit-events?from={at}")["items"] == [event]
    assert api.get(f"/v1/audit-events?to={at}")["items"] == []


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_the_years_1_to_9999_is_refused_by_name(sample, given, at):
    # In UTC these times are in the years 10000 and 0. PostgreSQL would store them, but Python could not read them.
    given.a_system_with_an_environment()
    over = {"over": True, "outcome": "arrived", "left_at": at, "arrived_at": at}

    query = sample.get(f"{VOYAGES}?from={quote(at)}&to={quote(at)}")
    field = sample.post(VOYAGES, {**A_VOYAGE, **over})
    nested = sample.post(VOYAGES, {**A_VOYAGE, "stops": [{"port": "tromso", "at": at}]})

    assert (query.status, _pointers(query)) == (422, ["#/from", "#/to"])
    assert (field.status, _pointers(field)) == (422, ["#/left_at", "#/arrived_at"])
    assert (nested.status, _pointers(nested)) == (422, ["#/stops/0/at"])


def _prepared(given, route):
    write = WRITES[route](given)
    return write, everything(given)


def _body(route):
    return next(each.body for each in OPERATIONS if route_of(each) == route)


def _schema(route):
    method, path = route.split(" ")
    body = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return DOCUMENT["components"]["schemas"][body["$ref"].rpartition("/")[2]]


def _pointers(answer):
    return [fault["pointer"] for fault in answer["errors"]]
