"""No answer has more than 5 MB, whatever was written: Lambda fails on an answer of more than 6 MB."""

import json
from dataclasses import replace
from importlib import import_module

import pytest

from tests.support.given import given_with_all_factories
from tests.support.largest import CALLER, largest
from tests.support.operations import LISTS, OPERATIONS, READS, address, of
from tests.support.resources import RESOURCES, SERVICE_TESTS

MOST_BYTES = 5_000_000


@of([each for each in OPERATIONS if each.body or each.query])
def test_every_text_of_a_request_has_a_greatest_length(operation):
    for type_ in (operation.body, operation.query):
        assert type_ is None or largest(type_)


@pytest.mark.parametrize("many", [3, pytest.param(210, marks=pytest.mark.nightly)])
def test_no_answer_is_too_long(api, given, database_url, many):
    given.two_of_everything()
    caller = replace(api, contract=NoContract()) if many > 3 else api
    caller = caller.as_("admin", **CALLER)
    few = {package for package in RESOURCES if not (SERVICE_TESTS / package / "largest.py").exists()}
    most = {}
    for package in RESOURCES:
        if package not in few:
            written = given_with_all_factories(caller, database_url)
            module = import_module(f"tests.service.{package}.largest")
            module.write(written, many)
            most[package] = getattr(module, "MOST", many)

    cut = given.sql("SELECT DISTINCT key FROM audit_events, jsonb_each(after) WHERE value ? 'cut_bytes'")
    assert cut == [], "the trail hides parts of a change: raise MOST_BYTES in rest/audit.py"

    for reader in (caller, caller.as_run()):
        for operation in READS:
            found = list(pages(reader, operation))
            assert max(map(sent, found)) <= MOST_BYTES, operation.name
            if operation in LISTS and reader is caller:
                items = [item for page in found for item in page["items"]]
                listed = operation.path.rpartition("/")[2]
                needed = 2 if listed in few else min(many, most.get(listed, many))
                assert len(items) >= needed, f"write the largest of {operation.path} in its package's largest.py"
                assert len(set(map(json.dumps, items))) == len(items), operation.name


def pages(reader, operation):
    """Yield the answers to a read: all pages of a list, with the most items on each."""
    path, following = address(operation), ""
    while following is not None:
        of_list = f"{'&' if '?' in path else '?'}limit=200{following}" if operation in LISTS else ""
        answer = reader.get(path + of_list)
        yield answer
        cursor = answer.json.get("next") if operation in LISTS else None
        following = cursor and f"&cursor={cursor}"


def sent(answer):
    """Return the bytes that Lambda sends for an answer."""
    whole = {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body}
    return len(json.dumps(whole, ensure_ascii=False).encode())


class NoContract:
    """Checks nothing: a check of megabytes against their schema takes minutes, and the small case does it."""

    def check_answer(self, *answer):
        pass

    def check_request(self, *request):
        pass
