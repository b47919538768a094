"""Decoding returns typed values, or raises a problem that names every fault. No input causes another exception."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from chalice.app import CaseInsensitiveMapping, MultiDict
from msgspec import UNSET, UnsetType

from chalicelib.rest import decoding
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Request
from chalicelib.systems.model import NewSystem, SystemChange
from tests.support.sample import NewVoyage, Stop, VoyageQuery

SYSTEM = {"key": "azul", "name": "Azul"}
STOP = {"port": "oslo", "at": "2026-01-01T00:00:00Z"}
VOYAGE = {"environment": "development", "captain": "nansen"}


def decoded(body, type_=NewSystem, content_type="application/json"):
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    headers = {} if content_type is None else {"Content-Type": content_type}
    return decoding.body(type_, SimpleNamespace(headers=CaseInsensitiveMapping(headers), raw_body=raw))


def refusal(body, type_=NewSystem, **kwargs):
    with pytest.raises(Problem) as raised:
        decoded(body, type_, **kwargs)
    # A problem that can't be encoded can't be sent.
    msgspec.json.encode(raised.value.document("id"))
    return raised.value


def pointers(problem):
    return [fault.pointer for fault in problem.errors]


def test_a_body_becomes_its_declared_type():
    assert decoded(SYSTEM) == NewSystem(key="azul", name="Azul")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_a_json_content_type_is_accepted(content_type):
    assert decoded(SYSTEM, content_type=content_type).key == "azul"


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp"]
)
def test_another_content_type_is_refused(content_type):
    assert refusal(SYSTEM, content_type=content_type).type.status == 415


def test_every_fault_is_named_at_once():
    problem = refusal({"key": "Azul", "repository": "ftp://example.org", "colour": "blue", "artifact_kind": 7})

    assert problem.type.slug == "invalid"
    assert sorted(pointers(problem)) == ["#/artifact_kind", "#/colour", "#/key", "#/name", "#/repository"]


def test_a_fault_is_named_with_its_place():
    stops = [{**STOP, "port": "Non Sense"}]

    assert pointers(refusal({**VOYAGE, "stops": stops}, NewVoyage)) == ["#/stops/0/port"]


@pytest.mark.parametrize(
    ("stop", "pointer"),
    [
        ({**STOP, "colour": "blue"}, "#/stops/1"),
        ({"port": STOP["port"]}, "#/stops/1"),
        ({**STOP, "at": "2026-01-01T00:00:00"}, "#/stops/1/at"),
        ({**STOP, "at": "yesterday"}, "#/stops/1/at"),
        ("oslo", "#/stops/1"),
        (None, "#/stops/1"),
    ],
    ids=str,
)
def test_nested_objects_are_checked_too(stop, pointer):
    assert pointers(refusal({**VOYAGE, "stops": [STOP, stop]}, NewVoyage)) == [pointer]


def test_nested_faults_are_named_with_the_others():
    stops = [{**STOP, "port": "Non Sense"}]

    problem = refusal({"environment": "development", "stops": stops, "watch_seconds": 1}, NewVoyage)

    assert sorted(pointers(problem)) == ["#/captain", "#/stops/0/port", "#/watch_seconds"]


def test_faults_across_several_fields_are_named():
    problem = refusal({**VOYAGE, "outcome": "lost", "arrived_at": "2026-01-01T00:00:00Z"}, NewVoyage)

    assert pointers(problem) == ["#/outcome", "#/arrived_at"]


@pytest.mark.parametrize(
    ("name", "pointer"), [("a/b", "#/a~1b"), ("a~b", "#/a~0b"), ("", "#/"), ("é", "#/é"), ("a.b[0]", "#/a.b[0]")]
)
def test_a_pointer_is_a_json_pointer(name, pointer):
    assert pointers(refusal({**SYSTEM, name: 1})) == [pointer]


@pytest.mark.parametrize("body", ["[]", "[{}]", '"azul"', "1", "null", "true"])
def test_a_body_that_is_no_object_is_refused(body):
    problem = refusal(body)

    assert (problem.type.slug, pointers(problem)) == ("invalid", ["#"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{'key': 'azul'}",
        b'{"key": "azul",}',
        b'{"key": "azul"} {}',
        b"\xef\xbb\xbf{}",
        b"\x00",
        '{"key": "azul", "name": "a\x00b"}',
    ],
)
def test_a_body_that_is_no_json_is_malformed(body):
    assert refusal(body).type.slug == "malformed"


@pytest.mark.parametrize(
    "body", [b'{"key": "\xff", "name": "Azul"}', b"\xff\xfe{\x00}\x00", b'{"name": "\xc0\x80"}', b'"\xed\xa0\x80"']
)
def test_a_body_that_is_not_utf_8_is_malformed(body):
    assert refusal(body).type.slug == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        '{"key": "azul", "name": "Azul", "key": "blue"}',
        '{"key": "azul", "name": "Azul", "\\u006bey": "azul"}',
        '{"key": "azul", "name": "Azul", "unknown": {"a": 1, "a": 1}}',
    ],
)
def test_a_repeated_key_is_malformed(body):
    assert refusal(body).type.slug == "malformed"


def test_a_repeated_nested_key_is_malformed():
    body = json.dumps({**VOYAGE, "stops": [STOP]}).replace('"port"', '"port": "1", "port"')

    assert refusal(body, NewVoyage).type.slug == "malformed"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_malformed(number):
    assert refusal(f'{{"key": "azul", "name": {number}}}').type.slug == "malformed"
    assert refusal(f'{{"unknown": {number}}}').type.slug == "malformed"


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "1" * 30, "1e300", "60.5", "59", "14401", "true", '"60"', "-0", "-0.0"]
)
def test_a_number_out_of_range_is_refused_by_name(number):
    body = json.dumps(VOYAGE).replace("{", f'{{"watch_seconds": {number}, ', 1)

    assert pointers(refusal(body, NewVoyage)) == ["#/watch_seconds"]


@pytest.mark.parametrize("number", ["60.0", "6e1", "0.6E+2"])
def test_an_integer_may_be_written_with_a_zero_fraction(number):
    body = json.dumps(VOYAGE).replace("{", f'{{"watch_seconds": {number}, ', 1)

    watch_seconds = decoded(body, NewVoyage).watch_seconds

    assert (watch_seconds, type(watch_seconds)) == (60, int)


def test_an_integer_with_a_zero_fraction_hides_no_other_fault():
    body = json.dumps({**VOYAGE, "ship": "", "over": True, "watch_seconds": 60.0})

    assert pointers(refusal(body, NewVoyage)) == ["#/ship"]
    assert "#/outcome" in pointers(refusal(body.replace('"ship": ""', '"ship": "fram"'), NewVoyage))


def test_a_number_of_thousands_of_digits_is_refused():
    assert refusal(f'{{"key": "azul", "name": {"1" * 100_000}}}').type.status in (400, 422)


@pytest.mark.parametrize("escape", [r"\u0000", r"\\\u0000", r"a\u0000b"])
def test_a_nul_character_is_refused(escape):
    assert refusal(f'{{"key": "azul", "name": "{escape}"}}').type.slug == "invalid"


@pytest.mark.parametrize(("escape", "text"), [(r"\\u0000", r"\u0000"), (r"\\\\u0000", r"\\u0000"), (r"u0000", "u0000")])
def test_a_text_that_only_looks_like_an_escape_is_accepted(escape, text):
    assert decoded(f'{{"key": "azul", "name": "{escape}"}}').name == text


@pytest.mark.parametrize("half", [r"\ud800", r"\udc00", r"\uDFFF", r"\ud800\ud800", r"\udc00\ud800", r"a\uD800b"])
@pytest.mark.parametrize(
    "body",
    [
        '{"key": "azul", "name": "HALF"}',
        '{"key": "azul", "name": "Azul", "HALF": 1}',
        '{"unknown": 1, "HALF": 1}',
        '{"key": "HALF", "unknown": {"HALF": ["HALF"]}}',
    ],
)
def test_half_a_surrogate_pair_is_malformed(body, half):
    assert refusal(body.replace("HALF", half)).type.slug == "malformed"


@pytest.mark.parametrize(("escape", "text"), [(r"\ud83d\ude00", "😀"), (r"\\ud800", r"\ud800")])
def test_a_complete_surrogate_pair_is_a_character(escape, text):
    assert decoded(f'{{"key": "azul", "name": "{escape}"}}').name == text


@pytest.mark.parametrize("depth", [10, 500, 900, 1000, 5000, 150_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("field", ["name", "unknown"])
def test_a_nested_value_is_refused_at_any_depth(field, opening, closing, depth):
    body = f'{{"key": "azul", "{field}": {opening * depth}1{closing * depth}}}'

    assert refusal(body).type.status in (400, 422)


def test_a_body_has_at_most_a_mebibyte():
    just_fits = json.dumps(SYSTEM).ljust(1024 * 1024)

    assert decoded(just_fits).key == "azul"
    assert refusal(just_fits + " ").type.status == 413


def test_a_body_is_measured_in_bytes():
    assert refusal(json.dumps({**SYSTEM, "description": "é" * 600_000}, ensure_ascii=False)).type.status == 413


def test_times_are_converted_to_utc():
    body = {**VOYAGE, "stops": [{**STOP, "at": "2026-01-01T02:00:00+02:00"}]}
    body |= {"over": True, "outcome": "lost", "left_at": "2026-01-01T00:00:00Z"}

    voyage = decoded({**body, "arrived_at": "2026-01-01T23:59:00+23:59"}, NewVoyage)

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    times = (voyage.left_at, voyage.arrived_at, voyage.stops[0].at)
    assert [(time, time.utcoffset()) for time in times] == [(moment, timedelta(0))] * 3


def test_nested_times_are_converted_too():
    class Cruise(Request, kw_only=True):
        first: Stop | None = None
        others: tuple[Stop, ...] | UnsetType = UNSET

    late = {**STOP, "at": "9999-12-31T23:59:59-14:00"}

    assert decoded({"first": {**STOP, "at": "2026-01-01T01:00:00+01:00"}}, Cruise) == decoded({"first": STOP}, Cruise)
    assert pointers(refusal({"first": late, "others": [STOP, late]}, Cruise)) == [
        "#/first/at",
        "#/others/1/at",
    ]


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-01T02:00:00+02:00",
        "2026-01-01t02:00:00.123456789+02:00",
        r"2026-01-01T02:00:00\u002b02:00",
        r"2025-12-31T22:00:00\u002D02:00",
        r"2026-01-01T02\u003a00\u003a00+02\u003a00",
        "2026-01-01T00:00:00-00:00",
    ],
)
def test_every_form_of_offset_is_converted(written):
    body = json.dumps({**VOYAGE, "stops": [{**STOP, "at": "TIME"}]}).replace("TIME", written)

    assert decoded(body, NewVoyage).stops[0].at.tzinfo is UTC


@pytest.mark.parametrize(
    "time",
    [
        "2016-12-31 23:59:59Z",
        "2016-12-31T23:59:59+0000",
        "2016-12-31 23:59:59-0800",
        r"2016-12-31\u002023:59:59Z",
        "2016-12-31T23:59:59",
        "2016-12-31T23:59:59+00",
        "2016-12-31T23:59:59.Z",
        "2016-12-31T23:59:61Z",
        "2016-12-31T22:59:60Z",
        "2016-12-31T23:58:60Z",
        "2016-12-31T23:59:60-08:00",
        "2016-12-31T24:00:00Z",
        "2016-13-31T23:59:60Z",
        "9999-12-31T23:59:60Z",
        "2016-12-31T23:59:5\u0669Z",
        r"2016-12-31T23:59:59Z\n",
        "",
    ],
)
def test_a_time_is_refused_that_is_none_of_rfc_3339(time):
    body = json.dumps({**VOYAGE, "left_at": "TIME", "stops": [STOP, {**STOP, "at": "TIME"}]}).replace("TIME", time)

    assert pointers(refusal(body, NewVoyage)) == ["#/stops/1/at", "#/left_at"]
    with pytest.raises(Problem):
        decoding.query(VoyageQuery, MultiDict({"from": [json.loads(f'"{time}"')]}))


@pytest.mark.parametrize(
    ("time", "same"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31t23:59:60.25z", "2017-01-01T00:00:00.250000+00:00"),
        ("2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:59.9999999Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:59-00:00", "2016-12-31T23:59:59+00:00"),
    ],
)
def test_a_leap_second_is_the_second_after_it(time, same):
    over = {"over": True, "outcome": "lost", "left_at": time, "arrived_at": time}

    voyage = decoded({**VOYAGE, **over, "stops": [{**STOP, "at": time}]}, NewVoyage)
    query = decoding.query(VoyageQuery, MultiDict({"from": [time]}))

    assert {each.isoformat() for each in (voyage.left_at, voyage.stops[0].at, query.from_)} == {same}


def test_other_texts_may_look_like_an_unusual_time():
    name = "At 2016-12-31 23:59:60+0000"

    assert decoded({**SYSTEM, "name": name, "description": 'a "+0000"'}).name == name


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_the_years_1_to_9999_is_refused_by_name(time):
    stops = [STOP, {**STOP, "port": "bergen", "at": time}]

    assert "#/stops/1/at" in pointers(refusal({**VOYAGE, "stops": stops}, NewVoyage))


def test_only_the_first_hundred_faults_are_named():
    problem = refusal({f"field-{number}": 1 for number in range(1000)})

    assert pointers(problem) == [f"#/field-{number}" for number in range(100)]


@pytest.mark.parametrize("body", [{"k" * 1000: 1}, {"artifact_kind": "k" * 1000}], ids=["a name", "a value"])
def test_a_long_value_is_shortened(body):
    fault = refusal({**SYSTEM, **body}).errors[0]

    assert len(fault.pointer) + len(fault.detail) < 500


def test_a_value_that_looks_like_a_place_is_not_taken_for_one():
    fault = refusal({**SYSTEM, "artifact_kind": "a - at `$.key` - at `$.name`"}).errors[0]

    assert fault.pointer == "#/artifact_kind"
    assert "a - at `$.key`" in fault.detail


def test_a_missing_field_of_a_change_differs_from_null():
    change = decoded({"repository": None}, SystemChange)

    assert change.repository is None
    assert change == SystemChange(repository=None)
    assert change != SystemChange()


def test_a_fault_quotes_the_documents_pattern():
    (fault,) = refusal(SYSTEM | {"key": "Bad Key"}).errors

    assert fault.pointer == "#/key"
    assert "(?!" not in fault.detail


def test_a_pattern_does_not_match_a_final_line_break():
    assert pointers(refusal(SYSTEM | {"key": "azul\n"})) == ["#/key"]


@pytest.mark.parametrize(
    "at", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "yesterday", ""]
)
def test_a_refused_time_is_answered_with_an_example(at):
    [fault] = refusal({**VOYAGE, "stops": [{**STOP, "at": at}]}, NewVoyage).errors

    assert fault.pointer == "#/stops/0/at"
    assert "'2026-03-01T12:00:00Z'" in fault.detail
