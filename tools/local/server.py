"""The local server: `chalice local` in all but what differs from API Gateway or is in a developer's way.

It is composed of Chalice's own parts. What they lack: problems instead of Chalice's own refusals, 401
where the authorizer says so, 404 and 405 told apart, path parameters decoded, the request's id, bounds on
bodies and on slow clients, and an answer at once on a kept-alive connection.

As a program it is the worker of `make run`: it applies migrations, serves until its parent is gone, and
says when it is ready.
"""

import base64
import contextlib
import functools
import os
import re
import signal
import socket
import socketserver
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from chalice.app import Chalice
from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy.validate import validate_routes
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    LambdaEventConverter,
    LocalChalice,
    LocalDevServer,
    LocalGateway,
    MatchResult,
    NotAuthorizedError,
    RouteMatcher,
    ThreadedHTTPServer,
)

from chalicelib.database.connection import DatabaseUnavailable, address
from chalicelib.database.migrate import MigrationFailed, MigrationRefused, migrate
from chalicelib.database.roles import MIGRATOR
from chalicelib.rest import problems
from chalicelib.rest.operation import problem_response
from chalicelib.rest.problems import Problem, ProblemType
from chalicelib.settings import LOCAL_STATE, UnusableSettings, settings
from tools.checkout import ToolError
from tools.local.postgres import as_login

HOST = "127.0.0.1"
MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's
SOCKET_TIMEOUT_SECONDS = 30
DRAIN_SECONDS = 2

Response = dict[str, Any]

# Not declared with the service's own: on AWS it is not the service that answers so.
length_required = ProblemType(
    slug="length-required",
    status=411,
    title="Length required",
    meaning="Send the body in one piece, with its `Content-Length`.",
)


class Server(LocalDevServer):
    """Serves an app on a port of this machine. `url` is where; port 0 takes any that is free."""

    def __init__(self, app: Chalice, config: Config, port: int, host: str = HOST) -> None:
        # As Chalice does it: the current request is one per thread.
        app.__class__ = LocalChalice
        super().__init__(app, config, host, port, handler_cls=RequestHandler, server_cls=_HTTPServer)
        self.url = f"http://{host}:{self.server.server_port}"

    def serve_forever(self) -> None:
        self.server.serve_forever()


class Routes(RouteMatcher):
    """Finds the route of an address: a parameter is one segment, not empty, decoded once split off."""

    def match_route(self, url: str) -> MatchResult:
        target = urlsplit(url)
        path = target.path if target.path == "/" else target.path.removesuffix("/")
        segments = [_decoded(segment) for segment in path.split("/")]
        for route in self.route_urls:
            names = route.split("/")
            if len(names) == len(segments) and all(map(_fits, names, segments)):
                captured = {
                    name[1:-1]: segment for name, segment in zip(names, segments, strict=True) if _is_parameter(name)
                }
                query = parse_qs(_as_utf8(target.query), keep_blank_values=True)
                return MatchResult(route, captured, query)
        raise ValueError("no route has this address")


class Gateway(LocalGateway):
    """What API Gateway does with a request before and after the function, and answers in its place."""

    def __init__(self, app: Chalice, config: Config) -> None:
        super().__init__(app, config)
        self.event_converter = LambdaEventConverter(Routes(list(app.routes)), app.api.binary_types)

    def handle_request(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Response:
        context = self._generate_lambda_context()
        try:
            event = self._event(method, path, headers, body, context.aws_request_id)
            event, context = self._authorized(path, event, context)
            response: Response = self._app_object(event, context)
        except Problem as problem:
            return _as_response(problem, context.aws_request_id)
        except Exception:
            traceback.print_exc()
            return _as_response(
                Problem(problems.internal_error, "An unexpected error; the server's output has its traceback"),
                context.aws_request_id,
            )
        return response

    def _event(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, request_id: str
    ) -> dict[str, Any]:
        try:
            event: dict[str, Any] = self._generate_lambda_event(method, path, headers, body)
        except ValueError:
            raise Problem(problems.not_found, "Nothing is at this address") from None
        resource = event["requestContext"]["resourcePath"]
        allowed = sorted(self._app_object.routes[resource])
        if method not in allowed:
            raise Problem(
                problems.method_not_allowed,
                f"This address takes {', '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
        if method in ("POST", "PUT", "PATCH") and "content-length" not in event["headers"]:
            raise Problem(length_required, "The header Content-Length is missing")
        event["resource"] = resource
        event["path"] = event["requestContext"]["path"]
        event["httpMethod"] = method
        event["requestContext"].update(requestId=request_id, stage=self._config.chalice_stage)
        return event

    def _authorized(self, path: str, event: dict[str, Any], context: Any) -> tuple[dict[str, Any], Any]:
        try:
            authorized: tuple[dict[str, Any], Any] = self._authorizer.authorize(path, event, context)
        except ForbiddenError:
            raise Problem(problems.forbidden, "The authorizer does not allow this address") from None
        except NotAuthorizedError:
            raise _unauthenticated("The header Authorization is missing") from None
        except Exception as error:
            # The words by which an authorizer makes API Gateway answer 401.
            if error.args != ("Unauthorized",):
                raise
            raise _unauthenticated("The token is not one to trust: the log says why") from None
        return authorized


class RequestHandler(ChaliceRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True  # else a kept-alive connection answers 40 ms later
    wbufsize = -1  # headers and body leave in one piece
    timeout = SOCKET_TIMEOUT_SECONDS

    def __init__(self, request: Any, client_address: Any, server: Any, app_object: Chalice, config: Config) -> None:
        self._expects_continue = False
        self._started = time.perf_counter()
        self.local_gateway = Gateway(app_object, config)
        # Past the parent's: it would make a gateway of its own, and start to serve with it.
        super(ChaliceRequestHandler, self).__init__(request, client_address, server)

    def __getattr__(self, name: str) -> Any:
        # Whatever method a request has, routes say whether there is one.
        if name.startswith("do_"):
            return self._generic_handle
        raise AttributeError(name)

    def _generic_handle(self) -> None:
        self._started = time.perf_counter()
        try:
            body = self._read_body()
        except Problem as problem:
            self._refuse(problem)
            return
        response = self.local_gateway.handle_request(self.command, self.path, dict(self.headers), body)
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _generic_handle  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The body, bounded; raises Problem before any of it is read."""
        if "transfer-encoding" in self.headers:
            raise Problem(length_required, "The local server takes no chunked bodies")
        lengths = set(self.headers.get_all("content-length", []))
        if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):
            raise Problem(problems.malformed, "The header Content-Length is not one number of bytes")
        length = int(lengths.pop()) if lengths else 0
        if length > MAX_BODY_BYTES:
            raise Problem(problems.too_large, f"The body has {length} bytes; {MAX_BODY_BYTES} is the most")
        if length == 0:
            return None
        if self._expects_continue:
            self._expects_continue = False
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        body: bytes = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client left before its body was complete")
        return body

    def _send(self, response: Response) -> None:
        status = response["statusCode"]
        body = response["body"] or b""
        if response.get("isBase64Encoded"):
            body = base64.b64decode(body)
        elif isinstance(body, str):
            body = body.encode()
        headers = {**response["headers"], **response["multiValueHeaders"]}
        self.send_response(status)
        if status in (204, 304):
            body = b""
        else:
            self.send_header("Content-Length", str(len(body)))
        if body and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"  # API Gateway's default
        for name, value in headers.items():
            if body or name.lower() != "content-type":
                for single in value if isinstance(value, list) else [value]:
                    self.send_header(name, single)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self._log(status)  # before the client can act upon the answer, so that lines come in order
        self.wfile.flush()

    def _refuse(self, problem: Problem) -> None:
        """Answer without having read the body, which ends the connection: what follows on it is unknown."""
        self.close_connection = True
        self._send(_as_response(problem, str(uuid.uuid4())))
        # Were we to close while the client still sends, its kernel would throw our answer away.
        deadline = time.monotonic() + DRAIN_SECONDS
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(DRAIN_SECONDS)
            while time.monotonic() < deadline and self.rfile.read1(65536):
                pass

    def handle_expect_100(self) -> bool:
        # Only once we know that we want the body.
        self._expects_continue = True
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses: a request that it can't read."""
        self.command = getattr(self, "command", None) or "GET"
        self.request_version = self.protocol_version  # an answer with a status, whatever could not be read
        self._refuse(Problem(problems.malformed, message or "The request can't be read"))

    def version_string(self) -> str:
        return "slipway"

    def log_message(self, *arguments: Any) -> None:
        """Nothing: `_log` has one line for each request."""

    def _log(self, status: int) -> None:
        # Without the query, which may hold what is nobody else's business, and without control characters.
        path = re.sub(r"[^!-~]", "?", getattr(self, "path", "?").partition("?")[0])[:200]
        milliseconds = (time.perf_counter() - self._started) * 1000
        sys.stderr.write(f"{self.command} {path} {status} {milliseconds:.0f} ms\n")
        sys.stderr.flush()


class _HTTPServer(ThreadedHTTPServer):
    request_queue_size = 128  # so that a burst of clients is not turned away
    allow_reuse_port = False  # two servers on one port would share its requests

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the network for the machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away, or stops talking, is no error of ours.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(app: Chalice, config: Config) -> Iterator[str]:
    """Serve an app in a thread, until the end of the block, at the URL that this gives."""
    server = Server(app, config, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server.server_close()


def load_app(environ: Any = os.environ) -> tuple[Chalice, Config]:
    """The app as `chalice local --stage local` loads it."""
    config = CLIFactory(str(LOCAL_STATE.parent), environ=environ).create_config_obj(chalice_stage_name="local")
    app = config.chalice_app
    validate_routes(app.routes)
    return app, config


def _is_parameter(name: str) -> bool:
    return name.startswith("{") and name.endswith("}")


def _fits(name: str, segment: str) -> bool:
    return segment != "" if _is_parameter(name) else name == segment


def _decoded(segment: str) -> str:
    return unquote_to_bytes(segment.encode("latin-1", "replace")).decode(errors="replace")


def _as_utf8(text: str) -> str:
    # http.server reads the request line as Latin-1.
    return text.encode("latin-1", "replace").decode(errors="replace")


def _unauthenticated(detail: str) -> Problem:
    return Problem(problems.unauthenticated, detail, headers={"WWW-Authenticate": 'Bearer realm="slipway"'})


def _as_response(problem: Problem, request_id: str) -> Response:
    response: Response = problem_response(problem, request_id).to_dict()
    return response


def _address_for_migrations() -> str:
    # The service's own role may not migrate.
    return os.environ.get("DATABASE_URL") or as_login(address(settings().database), MIGRATOR)


def _leave_with(channel: socket.socket) -> None:
    """End this process when its parent has ended: the channel is all that they share."""
    channel.recv(1)
    os._exit(0)


def main(environ: Mapping[str, str]) -> None:
    """Be the worker of `make run`: migrate, say on the channel when it is ready, and serve until the parent is gone."""
    port, channel = int(environ["PORT"]), socket.socket(fileno=int(environ["CHANNEL"]))
    threading.Thread(target=functools.partial(_leave_with, channel), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, whatever connections are open

    app, config = load_app()
    try:
        migrate(_address_for_migrations(), report=lambda name: print(f"applying migration {name}", flush=True))
    except MigrationRefused as error:
        ours = "" if os.environ.get("DATABASE_URL") else "; `make reset` makes a new one, without what this one holds"
        raise ToolError(f"{error}{ours}") from None
    except (DatabaseUnavailable, MigrationFailed, UnusableSettings) as error:
        raise ToolError(str(error)) from None
    server = Server(app, config, port)
    channel.send(b"!")
    server.serve_forever()
