"""The endpoint in docs/add-a-resource.md works exactly as the page prints it."""

from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.rest import audit, problems
from chalicelib.rest import operation as operations
from chalicelib.rest.call import Call
from chalicelib.rest.types import Answer, Request
from chalicelib.vocabulary import Slug
from tests.support.page import blocks
from tools.checks.openapi.document import document

[EXAMPLE] = [block.text for block in blocks("add-a-resource.md") if block.language == "python"]


class NewAnchor(Request):
    key: Slug


class Anchor(Answer):
    key: Slug


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(operations, "OPERATIONS", [])
    names = {
        "operation": operations.operation,
        "blueprint": Blueprint(__name__),
        "store": SimpleNamespace(insert=lambda db, body: Anchor(key=body.key)),
        **{each.__name__: each for each in (Role, Call, NewAnchor, Anchor)},
        "audit": audit,
        "problems": problems,
    }
    exec(EXAMPLE, names)  # noqa: S102 (the code is in docs/add-a-resource.md)
    [declared] = operations.OPERATIONS
    return declared


def test_the_example_is_declared_as_the_page_says(declared: Any) -> None:
    assert (declared.action, declared.role) == ("anchor.create", Role.maintainer)
    responses = document([declared])["paths"]["/v1/anchors"]["post"]["responses"]
    assert responses.keys() >= {"201", "409", "422"}


def test_the_example_leaves_an_audit_event_and_answers_with_the_new_resource(
    declared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[Any] = []
    monkeypatch.setattr(audit, "record", lambda call, resource, after: recorded.append((resource, after)))
    call = SimpleNamespace(db=None, created=lambda address, answer: (address, answer))

    assert declared.function(call, NewAnchor(key="sea")) == ("/v1/anchors/sea", Anchor(key="sea"))
    assert recorded == [("sea", Anchor(key="sea"))]
