"""A header that is sent several times is read as HTTP says, and a value that must be one is not chosen silently."""

import pytest

SHOP = {"key": "shop", "name": "Shop"}
PATH = "/v1/systems/azul"


def lines(**values):
    """Return the part of an event with several lines of each header. `headers` has only the last one."""
    named = {name.replace("_", "-"): each for name, each in values.items()}
    return {"headers": {name: each[-1] for name, each in named.items()}, "multiValueHeaders": named}


@pytest.mark.parametrize("current", [0, 1])
def test_lines_with_etags_are_one_list(api, given, current):
    given.a_system()
    etags = ['"another"', '"another"']
    etags[current] = api.get(PATH).headers["ETag"]

    assert api.send("GET", PATH, event=lines(if_none_match=etags)).status == 304
    assert api.send("DELETE", PATH, event=lines(if_match=etags)).status == 204


def test_lines_count_together_whatever_the_case_of_their_names(api, given):
    given.a_system()
    etag = api.get(PATH).headers["ETag"]

    answer = api.send("DELETE", PATH, event=lines(If_Match=[etag], if_match=['"another"']))

    assert answer.status == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": ["application/json"], "idempotency_key": ["a", "b"]}, 400),
        ({"content_type": ["application/json"], "Idempotency_Key": ["a"], "idempotency_key": ["b"]}, 400),
        ({"content_type": ["text/plain", "application/json"]}, 415),
        ({"content_type": ["application/json"], "authorization": ["Bearer a", "Bearer b"]}, 401),
    ],
)
def test_two_values_of_what_must_be_one_are_refused(api, given, headers, status):
    answer = api.send("POST", "/v1/systems", SHOP, event=lines(**headers))

    assert answer.status == status
    assert not given.sql("SELECT FROM systems")


def test_the_same_value_twice_is_one_value(api):
    twice = lines(content_type=["application/json"] * 2, idempotency_key=["a"] * 2, authorization=["Bearer a"] * 2)

    assert api.send("POST", "/v1/systems", SHOP, event=twice).status == 201
