"""A problem that an endpoint raises undoes its writes. A problem that it returns keeps them."""

from tests.support.races import at_once
from tests.support.sample import A_DENIED_VOYAGE, A_REFUSED_VOYAGE, VOYAGES


def test_a_raised_problem_undoes_the_writes(given, sample):
    given.the_usual()

    assert sample.post(VOYAGES, A_REFUSED_VOYAGE).problem == "icebound"
    assert sample.get(VOYAGES)["items"] == []


def test_a_returned_problem_keeps_the_writes(given, sample):
    given.the_usual()

    assert sample.post(VOYAGES, A_DENIED_VOYAGE).problem == "icebound"
    assert [each["ship"] for each in sample.get(VOYAGES)["items"]] == ["maud"]


def test_a_returned_problem_is_evaluated_again_with_the_same_key(given, sample):
    given.the_usual()

    answers = [sample.post(VOYAGES, A_DENIED_VOYAGE, idempotency_key="one") for _ in range(2)]

    assert [answer.problem for answer in answers] == ["icebound", "icebound"]
    assert len(sample.get(VOYAGES)["items"]) == 2
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_requests_with_one_key_at_once_are_each_evaluated(given, sample):
    given.the_usual()

    answers = at_once(*[lambda: sample.post(VOYAGES, A_DENIED_VOYAGE, idempotency_key="one")] * 3)

    assert [answer.problem for answer in answers] == ["icebound"] * 3
    assert len(sample.get(VOYAGES)["items"]) == 3
