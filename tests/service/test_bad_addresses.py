"""Every operation refuses paths that name no resource, and invalid parameters."""

import re
from collections import defaultdict
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from chalicelib.identity.roles import Role
from chalicelib.rest.types import PageQuery
from tests.support.hostile import HOSTILE
from tests.support.operations import DOCUMENT, LISTS, OPERATIONS, READS, fits, of, route_of
from tests.support.resources import PARAMETERS
from tests.support.writes import WRITES, everything

KNOWN = READS + [each for each in OPERATIONS if route_of(each) in WRITES]
PROTECTED = [each for each in KNOWN if each.role != "public"]

# Each value replaces a parameter of a path. The path then names no resource.
NOWHERE = {
    **HOSTILE,
    "a slash": "a/b",
    "a slash at the end": "azul/",
    "a whole path": "azul/environments/development",
    "dots": "..",
    "dots and slashes": "../../health",
    "a dot": ".",
    "a line break at the end": "azul\n",
    "a space at the end": "azul ",
    "another case": "AZUL",
    "percent signs": "%2e%2e%2f%00",
    "a number of 30 digits": "9" * 30,
    "2^63": str(2**63),
    "a negative number": "-1",
    "a digit of another script": "\u0661",
    "10,000 characters": "a" * 10_000,
}
NO_TEXT = ["a\0b", "\0", "\ud800", "azul\udfff"]


@pytest.fixture(scope="module")
def databases(clones):
    """A database for each operation that writes, and one for all that read. No test of this file changes a record."""
    with ExitStack() as lent:
        yield defaultdict(lambda: lent.enter_context(clones.lent()))


@pytest.fixture(scope="module")
def found():
    """The resources that earlier tests made."""
    return {}


@pytest.fixture
def database_url(databases, operation):
    return databases[_owner(operation)]


@pytest.fixture
def made(given, found, operation):
    """The path parameters of the operation's resource, and a valid body if the operation writes."""
    owner = _owner(operation)
    if owner not in found:
        found[owner] = WRITES[route_of(operation)](given) if operation.writes else given.two_of_everything()
    if not operation.writes:
        return {name: PARAMETERS[name] for name in names_of(operation)}, None
    write = found[owner]
    segments = zip(operation.path.split("/"), write.path.split("/"), strict=True)
    return {name[1:-1]: value for name, value in segments if name.startswith("{")}, write.body


def _owner(operation):
    """Return the name under which the operation's database and resource are kept."""
    return operation.name if operation.writes else "reads"


def names_of(operation):
    return re.findall(r"{(\w+)}", operation.path)


@of([each for each in KNOWN if "{" in each.path])
def test_a_path_that_names_no_resource_is_not_found(api, given, made, operation):
    there, body = made
    before = everything(given)

    for name in names_of(operation):
        for what, nowhere in [*_share(operation, NOWHERE.items()), ("an unknown name", "elsewhere")]:
            if _creates(operation, name, nowhere):
                continue
            answer = _ask(api, operation, {**there, name: nowhere}, body)

            assert (answer.status, answer.problem) == (404, "not-found"), what
    assert everything(given) == before


@of([each for each in KNOWN if "{" in each.path])
def test_a_path_that_is_no_valid_text_is_not_found(api, given, made, operation):
    there, body = made

    for name in names_of(operation):
        for text in NO_TEXT:
            answer = _ask(api, operation, there, body, event={"pathParameters": {**there, name: text}})

            assert (answer.status, answer.problem) == (404, "not-found")


@of(PROTECTED)
def test_callers_without_the_role_learn_of_no_other_fault(api, given, made, operation):
    there, _ = made
    anywhere = {**dict.fromkeys(names_of(operation), "nowhere"), "id": "1"}
    wrongs = [
        (there, {"body": b"\xff"}),
        (there, {"query": "?colour=blue&limit=0"}),
        (anywhere, {"body": "{}"}),
        (there, {"event": {"pathParameters": dict.fromkeys(there, "\ud800")}}),
        (there, {"headers": {"if_match": '"stale"', "content_type": "text/plain"}, "body": "text"}),
    ]

    for path, wrong in wrongs:
        assert _ask(api.as_(None), operation, path, **wrong).problem == "unauthenticated"
        if operation.role > Role.viewer:
            assert _ask(api.as_("viewer"), operation, path, **wrong).problem == "forbidden"


# These tests send invalid query parameters.


@of(KNOWN)
def test_an_unknown_parameter_is_refused_by_name(api, given, made, operation):
    there, body = made
    before = everything(given)

    for name in ("colour", *_share(operation, ["Limit", "limit[]", "a/b", *HOSTILE.values()])):
        answer = _ask(api, operation, there, body, query=f"?{quote(name, safe='')}=1")

        pointer = "#/" + name.replace("~", "~0").replace("/", "~1")
        assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", [pointer])
    assert everything(given) == before


@of(LISTS)
def test_a_repeated_parameter_is_refused(api, given, made, operation):
    there, _ = made
    names = [each["name"] for each in _parameters(operation)]

    for name in names:
        answer = _ask(api, operation, there, query=f"?{name}=1&{name}=1")

        assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", [f"#/{name}"])


@of(LISTS)
def test_a_limit_is_a_number_from_1_to_200(api, given, made, operation):
    there, _ = made
    wrong = ["0", "-1", "201", "x", "", " 5", "+5", "05", "5.0", "5e0", "1_0", "NaN", "1e999", str(2**63), "\u0665"]

    for limit in wrong:
        answer = _ask(api, operation, there, query=f"?limit={quote(limit)}")

        assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", ["#/limit"]), limit
    for limit in ("1", "200"):
        assert _ask(api, operation, there, query=f"?limit={limit}").status == 200


@of([each for each in LISTS if each.query is not PageQuery])
def test_invalid_values_of_filters_are_refused_by_name(api, given, made, operation):
    there, _ = made
    schemas = {each["name"]: each["schema"] for each in _parameters(operation)}
    filters = {name: schema for name, schema in schemas.items() if name not in ("limit", "cursor")}
    values = [
        "",
        "null",
        "-1",
        str(2**63),
        "Azul",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "20000-01-01T00:00:00Z",
        "infinity",
        "1767225600",
        "tree:0",
        *HOSTILE.values(),
    ]

    for value in values:
        wrong = {f"#/{name}" for name, schema in filters.items() if not fits(value, schema)}
        answer = _ask(api, operation, there, query="?" + "&".join(f"{name}={quote(value)}" for name in filters))

        assert wrong, f"The value {value!r} fits every filter: choose another value"
        assert (answer.status, set(_pointers(answer))) == (422, wrong), value


@of(LISTS)
def test_a_parameter_that_is_no_valid_text_is_refused(api, given, made, operation):
    there, _ = made
    names = [each["name"] for each in _parameters(operation)]

    for text in NO_TEXT:
        for parameter, pointers in [*(({name: [text]}, [f"#/{name}"]) for name in names), ({text: ["1"]}, ["#"])]:
            answer = _ask(api, operation, there, event={"multiValueQueryStringParameters": parameter})

            assert (answer.status, answer.problem, _pointers(answer)) == (422, "invalid", pointers)


def _share(operation, values):
    """Return a quarter of the values. Operations read values with the same code, and four of them see all values."""
    return list(values)[KNOWN.index(operation) % 4 :: 4]


def _creates(operation, name, value):
    """True if the operation makes a resource of the name `value`, so the path need not name an existing one."""
    if operation.method != "PUT" or not operation.path.endswith(f"{{{name}}}"):
        return False
    [schema] = [each["schema"] for each in _parameters(operation, "path") if each["name"] == name]
    # In Python, unlike in JSON Schema, `$` also matches before a line break at the end.
    return fits(value, schema) and not value.endswith("\n")


def _ask(api, operation, there, body=None, *, query="", headers=None, event=None):
    path = operation.path.format_map({name: quote(value, safe="") for name, value in there.items()})
    for each in _parameters(operation):
        if each["required"]:
            query = f"{query or '?'}&{each['name']}={PARAMETERS[each['name']]}"
    headers = headers or ({"if_match": "*"} if operation.conditional else {})
    return api.send(operation.method, path + query, body, headers, event)


def _parameters(operation, place="query"):
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]["parameters"]
    return [each for each in described if each.get("in") == place]


def _pointers(answer):
    return [fault["pointer"] for fault in answer["errors"]]
