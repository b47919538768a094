"""Measure the cold start of two functions: those of the deployed zip, and those of a bare Chalice app.

A cold start is all that a function does until its first answer. Lambda's own runtime client runs it. Both get the same
event. The bare app is what a tutorial would write, with Chalice, psycopg2 and PyJWT: it sends the service's statement,
and verifies the same token, but checks nothing else. `chalice package` ships it without bytecode. On AWS, both would
also log in to PostgreSQL over TLS, and fetch the issuer's keys.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tools.checks.bench import handler
from tools.checks.bench.figures import Figure
from tools.checks.bench.packages import benches
from tools.checks.lambda_runtime import call
from tools.local import issuer
from tools.package import compose

BOUND = 1.5
# This bound is for imports that only bytecode hides.
BOUND_WITH_BYTECODE = 2.25
ROUNDS = 9

_BYTECODE = "__pycache__"


class Function(NamedTuple):
    """A function: the folder with its package, and the name of its handler."""

    folder: Path
    handler: str


class Taken(NamedTuple):
    """Milliseconds of processor time: for the start, and for the first request."""

    init: float
    first: float


def figures(folder: Path) -> Iterator[Figure]:
    """Yield the times of each function's cold start, divided by those of the bare app.

    `folder` has the package. First call each `prepare`.
    """
    read = next(handler.requests(benches()["environments"]))
    events = {
        "api": read.event,
        "authorizer": {
            "type": "TOKEN",
            "authorizationToken": f"Bearer {issuer.token('viewer')}",
            "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:k3l9a7x2q1/production/GET/v1/systems",
        },
    }
    environ = {
        **{name: value for name, value in os.environ.items() if name.startswith("SLIPWAY_")},
        "DATABASE_URL": os.environ["DATABASE_URL"],
    }
    handlers = json.loads((folder / "generated.tf.json").read_text())["locals"]["functions"]
    with TemporaryDirectory() as temporary:
        service, bare, *without = _unpacked(folder / "deployment.zip", read.exchanges[0].message, Path(temporary))
        for name, event in events.items():
            ours, theirs = handlers[name]["handler"], "app.app" if name == "api" else "app.authorizer"
            functions = [Function(service, ours), Function(bare, theirs)]
            functions += [Function(without[0], ours), Function(without[1], theirs)]
            yield from _figures(name, functions, event, environ)


def _unpacked(package: Path, statement: str, temporary: Path) -> list[Path]:
    """Unpack the service and the bare app, then both again without bytecode; return the folders."""
    service, bare = temporary / "service", temporary / "bare"
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(service)
    shutil.copytree(service, bare, ignore=shutil.ignore_patterns("chalicelib", _BYTECODE))
    (bare / "app.py").write_text(_BARE_APP)
    (bare / "statement.sql").write_text(statement)
    shutil.copy(issuer.PUBLIC_KEY, bare / "key.json")
    compose.add_bytecode(bare)
    (service / ".local" / "issuer").mkdir(parents=True)
    shutil.copy(issuer.PUBLIC_KEY, service / ".local" / "issuer")
    without = [temporary / "service without bytecode", temporary / "bare without bytecode"]
    for source, target in zip((service, bare), without, strict=True):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(_BYTECODE))
    return [service, bare, *without]


def _figures(name: str, functions: Sequence[Function], event: Any, environ: Mapping[str, str]) -> Iterator[Figure]:
    taken: list[list[Taken]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, each in zip(functions, taken, strict=True):
            each.append(_start(function, event, environ))
    # Other work on the machine can only add to a cost, so compare the lowest.
    service, compiled, source, bare = (min(each, key=sum) for each in taken)
    detail = f"{_shown(service)}, bare Chalice {_shown(bare)}; without bytecode {_shown(source)}"
    yield Figure(f"cold start: {name}", sum(service) / sum(bare), "times", BOUND, detail)
    detail = f"{_shown(service)}, bare Chalice {_shown(compiled)}"
    what = f"cold start: {name}, both with bytecode"
    yield Figure(what, sum(service) / sum(compiled), "times", BOUND_WITH_BYTECODE, detail)


def _shown(taken: Taken) -> str:
    return f"{taken.init:.0f} + {taken.first:.0f} ms"


def _start(function: Function, event: Any, environ: Mapping[str, str]) -> Taken:
    called = call(function.folder, function.handler, [event], environ)
    [answer] = called.answers
    if answer.get("statusCode", 200) != 200:
        raise RuntimeError(f"{function.handler} answered {answer}: correct the event or the function")
    return Taken(called.init, called.events[0])


_BARE_APP = """
import json, os

import psycopg2
from chalice import AuthResponse, Chalice, Response

app = Chalice(app_name="bare")
connection = None


@app.authorizer()
def authorizer(request):
    import jwt

    with open("key.json") as file:
        key = jwt.PyJWK(json.load(file), "ES256").key
    claims = jwt.decode(request.token.removeprefix("Bearer "), key, ["ES256"], options={"verify_aud": False})
    return AuthResponse(routes=["*"], principal_id=claims["sub"])


@app.route("/v1/systems/{system}/environments/{environment}", authorizer=authorizer)
def get_environment(system, environment):
    global connection
    connection = connection or psycopg2.connect(os.environ["DATABASE_URL"])
    with open("statement.sql") as file, connection, connection.cursor() as cursor:
        cursor.execute(file.read())
        names = [column.name for column in cursor.description]
        [row] = cursor.fetchall()
    return Response(json.dumps(dict(zip(names, row)), default=str), headers={"Content-Type": "application/json"})
"""
