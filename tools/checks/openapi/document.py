"""Make the OpenAPI 3.1 document from the declared operations, so that it says what the code accepts and answers."""

import inspect
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, get_type_hints

from chalicelib import NAME, __version__, vocabulary
from chalicelib.rest import problems
from chalicelib.rest.constraints import REFUSALS
from chalicelib.rest.declaration import Operation
from chalicelib.rest.problems import Fault, ProblemType
from chalicelib.rest.types import Id, PageQuery
from tools.checkout import ROOT
from tools.checks.openapi.references import inlined, referenced
from tools.checks.openapi.schemas import COMPONENTS, Json, Schemas
from tools.package.api_body import throttled, timed_out

# The types of path parameters that are not called like a word of the vocabulary.
_PATH_PARAMETERS: dict[str, Any] = {"id": Id, "system": vocabulary.Slug}

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_INFO = {
    "title": "Slipway",
    "version": __version__,
    "description": f"{_PROJECT['description']}.\n\n"
    "Every refusal has problem details (RFC 9457), also at paths and with methods that are not listed here. Their "
    "`type` is `/problems/<slug>`: in the service's repository, docs/problems.md#<slug> explains the problem and says "
    "what to do.\n\n"
    "API Gateway answers some requests itself, also with problem details. At every path, it may answer "
    f"{throttled.status} `{throttled.uri}` and {timed_out.status} `{timed_out.uri}`.",
    "contact": {"url": f"https://github.com/acme/{NAME}"},
    "license": {"name": "MIT", "identifier": "MIT"},
}
_PATH_NAME = re.compile(r"{(\w+)}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# OpenAPI has no place for answers at unlisted paths and methods. So these extensions contain the answers in full.
_UNLISTED = {"x-unlisted-path": problems.not_found, "x-unlisted-method": problems.method_not_allowed}
_STATUSES_WITH_FAULTS = (409, 422)
_TEXT = {"type": "string"}

_REQUEST_HEADERS = {
    "Idempotency-Key": {
        "description": "Makes retries safe: the same key and body get the first answer again, for 24 hours.",
        "required": False,
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "examples": ["run-4711-attempt-1"]},
    },
    "If-Match": {
        "description": "The ETag of the resource that you change, so that you change only what you have seen.",
        "required": True,
        "schema": _TEXT,
    },
    "If-None-Match": {
        "description": "The ETag of the answer that you have: you get 304 while that answer is current.",
        "required": False,
        "schema": _TEXT,
    },
}
_ANSWER_HEADERS = {
    "Allow": {"description": "The methods that this address allows.", "required": True, "schema": _TEXT},
    "Cache-Control": {"description": "The caches that may keep the answer.", "required": True, "schema": _TEXT},
    "ETag": {
        "description": "The version of this representation, for If-Match or If-None-Match.",
        "required": True,
        "schema": _TEXT,
    },
    "Idempotency-Replayed": {
        "description": "Present if this Idempotency-Key got this answer before.",
        "schema": {"const": "true"},
    },
    "Link": {
        "description": 'The address of the next page, as `rel="next"`, if there is a next page.',
        "schema": _TEXT,
    },
    # Location is optional: without Location, the new resource is at the request's address (RFC 9110, section 15.3.2).
    "Location": {"description": "The address of the new resource.", "schema": _TEXT},
    "Retry-After": {
        "description": "The seconds to wait before the next try.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WWW-Authenticate": {"description": "The scheme of authentication to use.", "required": True, "schema": _TEXT},
    "X-Request-Id": {
        "description": "The request's id: name it when you report a fault.",
        "required": True,
        "schema": _TEXT,
    },
}
_EXISTING = {
    "POST": "The resource existed already: nothing changed",
    "PUT": "The resource existed already, and now has the requested values",
}
_PROBLEM_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def document(operations: Iterable[Operation]) -> Json:
    """Return the OpenAPI document of these operations. Their order does not matter."""
    ordered = sorted(operations, key=lambda each: (each.path, _METHODS.index(each.method)))
    known = {problem.slug: problem for each in ordered for problem in possible_problems(each)}
    known |= {problem.slug: problem for problem in _UNLISTED.values()}
    every_problem = [known[slug] for slug in sorted(known)]
    schemas = Schemas(_types(ordered, every_problem))
    schemas.components |= {_name(problem): _problem(problem, schemas) for problem in every_problem}
    paths: dict[str, Json] = {}
    for operation in ordered:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas, ordered)
    components: Json = {
        "parameters": {name: {"name": name, "in": "header", **header} for name, header in _REQUEST_HEADERS.items()},
        "headers": _ANSWER_HEADERS,
        "responses": {_name(problem): _refusal([problem], schemas) for problem in every_problem},
        "schemas": dict(sorted(schemas.components.items())),
    }
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [_tag(package) for package in sorted({_package(each) for each in ordered})],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            **referenced(components, paths),
        },
        **{name: inlined(components["responses"][_name(problem)], components) for name, problem in _UNLISTED.items()},
    }


def possible_problems(operation: Operation) -> list[ProblemType]:
    """Return the problems that an operation declares, and those that follow from its declaration.

    An operation declares the problems of constraints that it can violate. A public operation that asks the
    database also declares `unavailable`. Operations that are not public always ask the database. This function adds
    `unavailable` to their problems.
    """
    public = operation.role == "public"
    has_body = operation.body is not None
    following = [
        (problems.malformed, has_body or operation.takes_idempotency_key),
        (problems.cursor_unusable, _is_list(operation)),
        (problems.unauthenticated, not public),
        (problems.forbidden, not public),
        (problems.not_found, "{" in operation.path),
        (problems.precondition_failed, operation.conditional),
        (problems.too_large, has_body),
        (problems.unsupported_media_type, has_body),
        (problems.invalid, True),  # unknown query parameters are refused everywhere
        (problems.key_reused, operation.takes_idempotency_key),
        (problems.precondition_required, operation.conditional),
        (problems.too_many_writes, operation.writes),
        (problems.internal_error, True),
        (problems.unavailable, not public),
    ]
    possible = [*operation.problems, *(problem for problem, follows in following if follows)]
    once = {problem.slug: problem for problem in possible}
    return sorted(once.values(), key=lambda problem: (problem.status, problem.slug))


def _is_list(operation: Operation) -> bool:
    return operation.query is not None and issubclass(operation.query, PageQuery)


def _types(operations: Sequence[Operation], every_problem: Sequence[ProblemType]) -> list[Any]:
    """Return every type that has a schema in the document."""
    types: list[Any] = [Fault]
    for each in operations:
        types += [_path_parameter(name, each) for name in _path_names(each)]
        types += [type_ for type_ in (each.query, each.body, each.answer) if type_ is not None]
    types += [type_ for problem in every_problem for _, type_ in problem.extra]
    return types


def _operation(operation: Operation, schemas: Schemas, operations: Sequence[Operation]) -> Json:
    summary, _, description = inspect.cleandoc(operation.documentation).partition("\n")
    role = operation.role if isinstance(operation.role, str) else operation.role.name
    takes = {"public": "Takes no token.", "anybody": "Takes any valid token."}.get(role, f"Takes the role `{role}`.")
    described: Json = {
        "operationId": operation.name,
        "tags": [_tag(_package(operation))["name"]],
        "summary": summary,
        "description": "\n\n".join(filter(None, (description.strip(), takes))),
        "x-role": role,
        "parameters": _parameters(operation, schemas),
    }
    if role == "public":
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(schemas.of(operation.body), schemas)}
    links = _links(operation, operations)
    described["responses"] = _answers(operation, schemas, links) | _refusals(operation, schemas)
    return described


def _package(operation: Operation) -> str:
    """Return the name of the package that declares an operation. Each resource has its own package."""
    return str(operation.function.__module__).rpartition(".")[0]


def _tag(package: str) -> Json:
    """Return the tag of a resource: its package's name and docstring."""
    documentation = inspect.getdoc(sys.modules[package]) if package in sys.modules else None
    description = {"description": documentation} if documentation else {}
    return {"name": package.rpartition(".")[2].replace("_", "-"), **description}


def _parameters(operation: Operation, schemas: Schemas) -> list[Json]:
    parameters = [
        _parameter(name, "path", schemas.of(_path_parameter(name, operation)), required=True)
        for name in _path_names(operation)
    ]
    if operation.query is not None:
        struct = schemas.resolve(schemas.of(operation.query))
        for name, schema in struct["properties"].items():
            parameters.append(_parameter(name, "query", schema, required=name in struct.get("required", ())))
    headers = {
        "If-Match": operation.conditional,
        "If-None-Match": not operation.writes,
        "Idempotency-Key": operation.takes_idempotency_key,
    }
    taken = [{"$ref": f"#/components/parameters/{name}"} for name, takes in headers.items() if takes]
    return parameters + taken


def _path_names(operation: Operation) -> list[str]:
    return _PATH_NAME.findall(operation.path)


def _path_parameter(name: str, operation: Operation) -> Any:
    """Return the type of a path parameter: the endpoint's, else `Ship` or `ShipName` of the vocabulary for `{ship}`."""
    declared = get_type_hints(operation.function, include_extras=True).get(name, str)
    if declared is not str:
        return declared
    if name in _PATH_PARAMETERS:
        return _PATH_PARAMETERS[name]
    word = "".join(part.capitalize() for part in name.split("_"))
    for type_ in (word, f"{word}Name"):
        if hasattr(vocabulary, type_):
            return getattr(vocabulary, type_)
    raise LookupError(
        f"The path parameter {{{name}}} of {operation.name} has no type: define {word} or {word}Name in "
        f"{vocabulary.__name__}, or declare the type in the endpoint"
    )


def _parameter(name: str, place: str, schema: Json, *, required: bool) -> Json:
    """Return a parameter. Remove null from its schema, because callers leave the parameter out instead.

    Put the description beside the schema, because tools look for it there.
    """
    match schema:
        case {"anyOf": [*alternatives]}:
            given = [each for each in alternatives if each != {"type": "null"}]
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            schema = {**given[0], **rest} if len(given) == 1 else {**rest, "anyOf": given}
    described = {key: value for key, value in schema.items() if key != "description"}
    if described.get("default", ...) is None:
        del described["default"]
    description = {"description": schema["description"]} if "description" in schema else {}
    return {"name": name, "in": place, **description, "required": required, "schema": described}


def _answers(operation: Operation, schemas: Schemas, links: Json) -> Json:
    replayed = ["Idempotency-Replayed"] if operation.takes_idempotency_key else []
    if operation.answer is None:
        return {"204": {"description": "Done", "headers": _headers(*replayed)}}
    paged = ["Link"] if _is_list(operation) else []
    content = _json(schemas.of(operation.answer), schemas)
    answers: Json = {}
    for status in sorted({operation.status, 200} if operation.existing_status else {operation.status}):
        created = ["Location"] if status == HTTPStatus.CREATED else []
        existing = status != operation.status
        answers[str(status)] = {
            "description": _EXISTING[operation.method] if existing else HTTPStatus(status).phrase,
            "headers": _headers("ETag", *created, *paged, *replayed),
            "content": content,
            **({"links": links} if links else {}),
        }
    if not operation.writes:
        answers["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": _headers("ETag")}
    return answers


def _links(operation: Operation, operations: Sequence[Operation]) -> Json:
    """Return links to operations on the new resource, or on the resource that the answer shows.

    The request and the answer must contain all path parameters of a linked operation.
    """
    created = operation.status == HTTPStatus.CREATED
    address = _address_below(operation, operations) if created else operation.path
    if address is None or operation.answer is None or not address.endswith("}"):
        return {}
    known = {name: f"$request.path.{name}" for name in _path_names(operation)}
    if created:
        name = _PATH_NAME.findall(address)[-1]
        known[name] = f"$response.body#/{_field_with(name, operation)}"
    unchanged = {"If-Match": "$response.header.ETag"}
    return {
        each.name: {
            "operationId": each.name,
            "parameters": known | (unchanged if each.conditional and each.path == address else {}),
        }
        for each in operations
        if each.path == address or (created and each.path.startswith(f"{address}/"))
        if each is not operation and set(_path_names(each)) <= known.keys()
    }


def _field_with(parameter: str, operation: Operation) -> str:
    """Return the field of the answer that has the value of a path parameter of the new resource."""
    fields = getattr(operation.answer, "__struct_fields__", ())
    names = () if parameter == "id" else (parameter, "key", "name", "id")
    return next((name for name in names if name in fields), parameter)


def _address_below(operation: Operation, operations: Sequence[Operation]) -> str | None:
    """Return the path of the resources that an operation creates, or None if the resources have no path."""
    addresses = (each.path for each in operations if each.path.rpartition("/")[0] == operation.path)
    return next((address for address in addresses if address.endswith("}")), None)


def _refusals(operation: Operation, schemas: Schemas) -> Json:
    by_status: dict[str, list[ProblemType]] = {}
    for problem in possible_problems(operation):
        by_status.setdefault(str(problem.status), []).append(problem)
    return {
        status: {"$ref": f"#/components/responses/{_name(possible[0])}"}
        if len(possible) == 1
        else _refusal(possible, schemas)
        for status, possible in by_status.items()
    }


def _refusal(possible: Sequence[ProblemType], schemas: Schemas) -> Json:
    """Return the description of a response whose body is one of these problems."""
    references = [{"$ref": COMPONENTS + _name(problem)} for problem in possible]
    schema: Json = references[0]
    if len(possible) > 1:
        mapping = {problem.uri: COMPONENTS + _name(problem) for problem in possible}
        schema = {"oneOf": references, "discriminator": {"propertyName": "type", "mapping": mapping}}
    examples = {problem.slug: {"summary": problem.title, "value": _example(problem, schemas)} for problem in possible}
    own_header = _PROBLEM_HEADERS.get(possible[0].status)
    return {
        "description": "\n\n".join(f"{problem.title}. {problem.meaning}" for problem in possible),
        "headers": _headers(*filter(None, [own_header])),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }


def _problem(problem: ProblemType, schemas: Schemas) -> Json:
    members: Json = {
        "type": {"const": problem.uri},
        "title": {"const": problem.title},
        "status": {"const": problem.status},
        "detail": {"type": "string", "description": "The fault in this request"},
        "instance": {"type": "string", "description": "The request's id"},
    }
    members |= {name: schemas.of(type_) for name, type_ in problem.extra}
    required = list(members)
    if problem.status in _STATUSES_WITH_FAULTS:
        members["errors"] = {"type": "array", "items": schemas.of(Fault)}
    return {
        "title": problem.title,
        "description": problem.meaning,
        "type": "object",
        "properties": members,
        "required": required,
    }


def _example(problem: ProblemType, schemas: Schemas) -> Json:
    faults = [
        {"pointer": refusal.pointer, "detail": refusal.detail}
        for _, refusal in sorted(REFUSALS.items())  # not in the order of imports
        if refusal.problem is problem and refusal.pointer
    ]
    return {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.meaning,
        "instance": "f1c5d6f0-6f0b-4b8e-9d3c-2f6a4f0f7f11",
        **{name: schemas.example(schemas.of(type_)) for name, type_ in problem.extra},
        **({"errors": faults[:1]} if faults else {}),
    }


def _name(problem: ProblemType) -> str:
    return "".join(word.capitalize() for word in problem.slug.split("-")) + "Problem"


def _headers(*names: str) -> Json:
    every = ("X-Request-Id", "Cache-Control", *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in every}


def _json(schema: Json, schemas: Schemas) -> Json:
    return {"application/json": {"schema": schema, "example": schemas.example(schema)}}
