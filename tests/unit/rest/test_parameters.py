"""Parameters of the path and the query are decoded, or refused with a problem that names every fault."""

import msgspec
import pytest
from chalice.app import MultiDict

from chalicelib.rest import decoding
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import PageQuery, Query, Timestamp
from tests.support.sample import VoyageQuery


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("azul", "azul"),
        ("tree%3A00", "tree:00"),
        ("a%2Fb", "a/b"),
        ("%2525", "%25"),
        ("a+b", "a+b"),
        ("%C3%A9é", "éé"),
        ("%FF", "\ufffd"),
        ("%zz%", "%zz%"),
        ("%00", "\0"),
        ("\ud800%20", "\ud800 "),
    ],
)
def test_any_path_parameter_is_decoded_once(sent, meant):
    assert decoding.path({"system": sent}) == {"system": meant}


def parsed(type_=PageQuery, **parameters):
    return decoding.query(
        type_,
        MultiDict({name: values if isinstance(values, list) else [values] for name, values in parameters.items()}),
    )


def query_refusal(type_=PageQuery, **parameters):
    with pytest.raises(Problem) as raised:
        parsed(type_, **parameters)
    msgspec.json.encode(raised.value.document("id"))
    assert raised.value.type.slug == "invalid"
    return [fault.pointer for fault in raised.value.errors]


def test_missing_parameters_have_their_defaults():
    assert decoding.query(PageQuery, None) == PageQuery(limit=50, cursor=None)


@pytest.mark.parametrize("limit", [1, 200])
def test_a_limit_is_a_number(limit):
    assert parsed(limit=str(limit)).limit == limit


@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "x", "", "1.5", "0x1", "1e999", "null", "9" * 30, "\uff11", "5.0", "5e0", "+5", "05"]
)
def test_a_limit_out_of_range_is_refused(limit):
    assert query_refusal(limit=limit) == ["#/limit"]


def test_an_unknown_parameter_is_refused():
    assert query_refusal(colour="blue") == ["#/colour"]


def test_an_operation_without_parameters_refuses_every_parameter():
    assert decoding.query(None, None) is None
    assert query_refusal(None, limit="1") == ["#/limit"]


def test_a_missing_parameter_is_named_with_the_other_faults():
    class Period(Query, kw_only=True):
        since: Timestamp
        until: Timestamp

    assert query_refusal(Period) == ["#/since", "#/until"]
    assert sorted(query_refusal(Period, until="yesterday")) == ["#/since", "#/until"]


def test_a_boolean_is_true_or_false_only():
    class Question(Query, kw_only=True):
        dry: bool = False

    assert parsed(Question, dry="true") == Question(dry=True)
    assert parsed(Question, dry="false") == Question(dry=False)
    for other in ("True", "1", "yes", ""):
        assert query_refusal(Question, dry=other) == ["#/dry"]


def test_a_pointer_to_a_parameter_is_a_json_pointer_too():
    assert query_refusal(**{"a/b~c": "1"}) == ["#/a~1b~0c"]


def test_a_repeated_parameter_is_refused():
    assert query_refusal(limit=["1", "1"]) == ["#/limit"]


def test_every_faulty_parameter_is_named_at_once():
    parameters = {"outcome": "gone", "captain": "A", "from": "yesterday", "colour": "blue"}

    assert sorted(query_refusal(VoyageQuery, **parameters)) == ["#/captain", "#/colour", "#/from", "#/outcome"]


def test_a_time_needs_a_time_zone():
    assert query_refusal(VoyageQuery, **{"from": "2026-01-01T00:00:00"}) == ["#/from"]
    assert parsed(VoyageQuery, **{"from": "2026-01-01T00:00:00Z"}).from_ is not None


def test_a_nul_character_in_a_parameter_is_refused():
    assert "#/cursor" in query_refusal(cursor="a\0b")


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_the_years_1_to_9999_is_refused_by_name(time):
    assert query_refusal(VoyageQuery, to=time) == ["#/to"]
