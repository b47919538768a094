"""The OpenAPI document of the service."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import app  # noqa: F401  (declares the operations)
from chalicelib import systems
from chalicelib.rest import problems
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import PROBLEM_TYPES, ProblemType
from tests.support.schemas import fits, problem_examples_fit
from tools.checks.openapi import file
from tools.checks.openapi.document import document, possible_problems

# Leave out operations that other tests declare.
SERVICE = [each for each in OPERATIONS if each.function.__module__.startswith("chalicelib.")]
DOCUMENT = document(SERVICE)


def test_the_services_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_openapi_json_matches_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    committed = file.PATH.read_text()
    monkeypatch.setattr(file, "OPERATIONS", SERVICE)
    monkeypatch.setattr(file, "PATH", tmp_path / "openapi.json")

    file.main({})

    if file.PATH.read_text() != committed:
        pytest.fail("openapi.json is stale: run `make openapi`, and commit the file", pytrace=False)


def test_the_document_does_not_depend_on_the_order_of_declaration() -> None:
    assert file.render(reversed(SERVICE)) == file.render(SERVICE)


def test_every_problem_that_an_operation_can_answer_is_listed() -> None:
    everywhere = {"not-found", "method-not-allowed"}
    reachable = {problem.slug for each in SERVICE for problem in possible_problems(each)} | everywhere
    listed = set(re.findall(r'"const": "(/problems/[a-z-]+)"', json.dumps(DOCUMENT)))

    assert listed == {PROBLEM_TYPES[slug].uri for slug in reachable}


def test_the_document_says_how_paths_and_methods_that_are_not_listed_are_answered() -> None:
    for name, problem in {
        "x-unlisted-path": problems.not_found,
        "x-unlisted-method": problems.method_not_allowed,
    }.items():
        content = DOCUMENT[name]["content"]["application/problem+json"]
        assert content["schema"]["properties"]["type"] == {"const": problem.uri}
        problem_examples_fit(DOCUMENT[name], DOCUMENT)
    assert DOCUMENT["x-unlisted-method"]["headers"]["Allow"]["required"]


@pytest.mark.parametrize("kind", ["parameters", "headers", "responses", "schemas"])
def test_every_component_is_referred_to(kind: str) -> None:
    text = json.dumps(DOCUMENT)

    assert [name for name in DOCUMENT["components"][kind] if f'"#/components/{kind}/{name}"' not in text] == []


def test_a_tag_is_a_resource_with_its_description() -> None:
    tags = {tag["name"]: tag.get("description") for tag in DOCUMENT["tags"]}

    assert [name for name, description in tags.items() if not description] == []
    assert tags["systems"] == systems.__doc__
    assert DOCUMENT["paths"]["/v1/ready"]["get"]["tags"] == ["health"]


def test_every_problem_type_that_resources_declare_is_raised_by_an_operation() -> None:
    own = {problem.slug for each in SERVICE for problem in possible_problems(each)}
    general = {problem.slug for problem in vars(problems).values() if isinstance(problem, ProblemType)}

    assert PROBLEM_TYPES.keys() - general <= own


@pytest.mark.parametrize("operation", SERVICE, ids=lambda each: each.name)
def test_every_example_matches_its_schema_and_its_type(operation: Operation) -> None:
    of_operation = DOCUMENT["paths"][operation.path][operation.method.lower()]

    if operation.body is not None:
        content = of_operation["requestBody"]["content"]["application/json"]
        fits(content["example"], content["schema"], DOCUMENT)
        decoded = msgspec.json.decode(json.dumps(content["example"]), type=operation.body)
        assert list(getattr(decoded, "faults", tuple)()) == []
    for status, response in of_operation["responses"].items():
        if "application/json" in response.get("content", {}):
            content = response["content"]["application/json"]
            fits(content["example"], content["schema"], DOCUMENT)
            msgspec.json.decode(json.dumps(content["example"]), type=operation.answer)
        elif int(status) >= 400:
            problem_examples_fit(response, DOCUMENT)
