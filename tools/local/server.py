"""The local server, which stands in for API Gateway in front of the app. It is built from parts of `chalice local`.

`chalice local` itself differs too much from API Gateway.
"""

import contextlib
import functools
import json
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
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chalice.app import Chalice
from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy.validate import validate_routes
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    LambdaContext,
    LocalChalice,
    LocalDevServer,
    LocalGatewayAuthorizer,
    NotAuthorizedError,
    ThreadedHTTPServer,
)

from chalicelib import NAME
from chalicelib.database.connection import DatabaseUnavailable, address
from chalicelib.database.migrate import MigrationFailed, MigrationRefused, migrate
from chalicelib.database.roles import MIGRATOR
from chalicelib.rest import problems, threads
from chalicelib.rest.problems import Problem, ProblemType
from chalicelib.rest.respond import problem_response
from chalicelib.settings import LOCAL_STATE, UnusableSettings, settings
from chalicelib.telemetry import logs
from tools.checkout import ToolError
from tools.local import site
from tools.local.gateway_event import Event, NoRoute, Routes, TooLong, UnreadableQuery, gateway_event
from tools.local.log import Log, Terminal
from tools.local.postgres import as_login

HOST = "127.0.0.1"
MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's limit
MAX_EVENT_BYTES = 6 * 1024 * 1024  # Lambda's limit for the JSON of an event, to which API Gateway answers 413
SOCKET_TIMEOUT_SECONDS = 30
DRAIN_SECONDS = 2

Response = dict[str, Any]

# Takes the lines of requests. `main` keeps them for `make logs` too.
log_to = Terminal()

# This problem is not among the service's own problems, because on AWS the service never answers with it.
length_required = ProblemType(
    slug="length-required",
    status=411,
    title="Length required",
    meaning="The request has no `Content-Length`. Send the body in one piece, with its length.",
)


def main(environ: Mapping[str, str]) -> None:
    """Serve for `make run`: migrate, write to the channel when the server is ready, and serve until the parent ends."""
    port, channel = int(environ["PORT"]), socket.socket(fileno=int(environ["CHANNEL"]))
    threading.Thread(target=functools.partial(_leave_with, channel), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # end at once, even with open connections

    app, config = load_app()
    keep_log(Log())
    try:
        migrate(_address_for_migrations(), report=lambda name: print(f"applying migration {name}", flush=True))
    except MigrationRefused as error:
        ours = (
            "" if os.environ.get("DATABASE_URL") else ". Or run `make reset` to delete this database, and start again"
        )
        raise ToolError(f"{error}{ours}") from None
    except (DatabaseUnavailable, MigrationFailed, UnusableSettings) as error:
        raise ToolError(str(error)) from None
    server = _server(app, config, port)
    channel.send(b"!")
    server.serve_forever()


def keep_log(log: Log) -> None:
    """Send the lines of requests and of the service to this log. Exceptions have their messages there."""
    global log_to  # noqa: PLW0603 (a process has one log)
    log_to = log
    logs.sink, logs.with_messages = log.service, True


@contextlib.contextmanager
def serving(app: Chalice, config: Config) -> Iterator[str]:
    """Serve an app in a thread until the end of the block, and yield its URL."""
    server = _server(app, config, port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def load_app(environ: Any = os.environ) -> tuple[Chalice, Config]:
    """Return the app and its configuration, as `chalice local --stage local` loads them in the folder of chalicelib.

    That folder need not be this checkout: the rehearsal of a deployment serves a package with the checkout's tools.
    """
    folder = Path(LOCAL_STATE).parent
    config = CLIFactory(str(folder), environ=environ).create_config_obj(chalice_stage_name="local")
    app = config.chalice_app
    validate_routes(app.routes)
    return app, config


class Gateway:
    """A stand-in for API Gateway. It calls the function for a request, or answers without the function.

    Unlike `chalice local`, it answers errors with problems, and distinguishes 401, 404 and 405.
    """

    def __init__(self, app: Chalice, config: Config) -> None:
        self._app = app
        self._config = config
        self._routes = Routes(app.routes)
        self._authorizer = LocalGatewayAuthorizer(app)

    def handle_request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None
    ) -> Response:
        context = LambdaContext(self._config.function_name, self._config.lambda_memory_size)
        request_id = context.aws_request_id
        try:
            event = gateway_event(
                self._routes, method, target, headers, body, request_id=request_id, stage=self._config.chalice_stage
            )
            self._require_method(method, event["resource"])
            if method in ("POST", "PUT", "PATCH") and body is None:
                raise Problem(length_required, "The header Content-Length is missing: send the body's length")
            if len(body or b"") > MAX_EVENT_BYTES / 6 and len(json.dumps(event)) > MAX_EVENT_BYTES:
                raise Problem(problems.too_large, "The body is too large for a function: send less")
            response: Response = self._app(self._authorized(event, context), context)
        except NoRoute:
            return self._outside_of_the_api(method, target, headers, body, request_id)
        except UnreadableQuery as error:
            return _as_response(
                Problem(problems.malformed, f"The query has the character {error}: send it percent-encoded"), request_id
            )
        except TooLong as error:
            # The service's response DEFAULT_4XX has this status and type.
            return _as_response(Problem(problems.malformed, str(error)), request_id)
        except Problem as problem:
            return _as_response(problem, request_id)
        except Exception:
            print(f"request {request_id}:\n{traceback.format_exc()}", end="", file=sys.stderr, flush=True)
            return _as_response(
                Problem(problems.internal_error, "An unexpected error: read the traceback in the server's output"),
                request_id,
            )
        return response

    def _outside_of_the_api(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None, request_id: str
    ) -> Response:
        """Answer as CloudFront does for its other paths: with a file of the page, or a problem."""
        try:
            found = site.answer(method, target, headers, body)
        except Problem as problem:
            return _as_response(problem, request_id)
        return found or _as_response(
            Problem(problems.not_found, "Nothing is at this address: check its spelling"), request_id
        )

    def _require_method(self, method: str, template: str) -> None:
        methods = sorted(self._app.routes[template])
        if method not in methods:
            allowed = ", ".join(methods)
            raise Problem(
                problems.method_not_allowed,
                f"This address does not take {method}: use {' or '.join(methods)}",
                headers={"Allow": allowed},
            )

    def _authorized(self, event: Event, context: LambdaContext) -> Event:
        """Return the event with the authorizer's result, or raise Problem."""
        headers = event["headers"]
        # Chalice's authorizer reads only lower-case header names.
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            authorized, _ = self._authorizer.authorize(event["path"], {**event, "headers": lower}, context)
        except ForbiddenError:
            raise Problem(problems.forbidden, "The authorizer does not allow this address: use another token") from None
        except NotAuthorizedError:
            raise _unauthenticated("The header Authorization is missing: send 'Bearer <token>'") from None
        except Exception as error:
            # With this text an authorizer makes API Gateway answer 401.
            if error.args != ("Unauthorized",):
                raise
            raise _unauthenticated("The token is not trusted: read the reason in the server's output") from None
        return {**authorized, "headers": headers}


class RequestHandler(ChaliceRequestHandler):
    """The handler of a client's connection. It limits bodies and slow clients."""

    disable_nagle_algorithm = True  # otherwise a kept-alive connection answers 40 ms later
    wbufsize = -1  # send headers and body together
    timeout = SOCKET_TIMEOUT_SECONDS

    def __init__(self, request: Any, client_address: Any, server: Any, app_object: Chalice, config: Config) -> None:
        self._started = time.perf_counter()
        self._request_id = "-"
        self._gateway = Gateway(app_object, config)
        # Skip the parent's method, which would serve with its own gateway.
        super(ChaliceRequestHandler, self).__init__(request, client_address, server)

    def __getattr__(self, name: str) -> Any:
        # Handle every HTTP method: the routes decide which methods are allowed.
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
        # `self.path` has lost slashes at its start. http.server reads bytes as Latin-1.
        target = self.requestline.split()[1].encode("latin-1").decode(errors="replace")
        self._send(self._gateway.handle_request(self.command, target, self.headers.items(), body))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _generic_handle  # noqa: N815

    def _read_body(self) -> bytes | None:
        """Return the body, or None if no length was sent. Before reading the body, raise Problem if it is refused."""
        if "transfer-encoding" in self.headers:
            raise Problem(length_required, "The local server takes no chunked bodies: send Content-Length")
        lengths = set(self.headers.get_all("content-length", []))
        if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):
            raise Problem(
                problems.malformed, "The header Content-Length is not one number: send the body's length in bytes once"
            )
        if not lengths:
            return None
        length = int(lengths.pop())
        if length > MAX_BODY_BYTES:
            raise Problem(problems.too_large, f"The body has {length} bytes: send at most {MAX_BODY_BYTES}")
        if self.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        body: bytes = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError(
                "The client closed the connection before the body was complete: send the request again"
            )
        return body

    def _send(self, response: Response) -> None:
        status, body = response["statusCode"], response["body"] or b""
        if isinstance(body, str):
            body = body.encode()
        headers = {**response["headers"], **response["multiValueHeaders"]}
        if status in (204, 304):
            body = b""
        else:
            headers["Content-Length"] = str(len(body))
        if not body:
            headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        elif not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"  # API Gateway sets this type by default
        if self.close_connection:
            headers["Connection"] = "close"
        self._request_id = headers.get("X-Request-Id", "-")
        self.send_response(status)
        self._send_headers(headers)
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _refuse(self, problem: Problem) -> None:
        """Answer without reading the body. Close the connection, because its next bytes may not be a request."""
        self.close_connection = True
        self._send(_as_response(problem, str(uuid.uuid4())))
        # Read on for a moment: if we closed while the client still sends, the client's kernel would drop our answer.
        deadline = time.monotonic() + DRAIN_SECONDS
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(DRAIN_SECONDS)
            while time.monotonic() < deadline and self.rfile.read1(65536):
                pass

    def handle_expect_100(self) -> bool:
        return True  # `_read_body` sends the 100 after it has checked the length

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that http.server can't read."""
        self.command = getattr(self, "command", None) or "GET"
        self.request_version = self.protocol_version  # so that the answer has a status line
        self._refuse(Problem(problems.malformed, message or "The request can't be read: send valid HTTP"))

    def version_string(self) -> str:
        return NAME

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a request in one line before its answer is sent, so that lines come in order."""
        # Leave out the query, which may have secrets. Replace all characters but visible ASCII.
        path = re.sub(r"[^!-~]", "?", getattr(self, "path", "?").partition("?")[0])[:200]
        log_to.access(
            {
                "requestId": self._request_id,
                "method": self.command,
                "path": path,
                "status": str(int(code)),
                "responseLatency": f"{(time.perf_counter() - self._started) * 1000:.0f}",
            }
        )

    def log_error(self, *arguments: Any) -> None:
        """Log nothing: a client that stops sending is no error of the server."""


class _HTTPServer(ThreadedHTTPServer):
    request_queue_size = 128  # so that a burst of clients is not refused
    allow_reuse_port = False  # two servers on one port would share its requests

    def server_bind(self) -> None:
        # Skip HTTPServer's method, which asks the network for the machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that leaves or stops sending is no error of the server.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _server(app: Chalice, config: Config, port: int) -> ThreadedHTTPServer:
    threads.prepare()
    # Give each thread its own current request, as `chalice local` does.
    app.__class__ = LocalChalice
    server = LocalDevServer(app, config, HOST, port, handler_cls=RequestHandler, server_cls=_HTTPServer)
    http_server: ThreadedHTTPServer = server.server
    return http_server


def _unauthenticated(detail: str) -> Problem:
    return Problem(problems.unauthenticated, detail, headers={"WWW-Authenticate": f'Bearer realm="{NAME}"'})


def _as_response(problem: Problem, request_id: str) -> Response:
    response: Response = problem_response(problem, request_id).to_dict()
    return response


def _address_for_migrations() -> str:
    # The service's role may not migrate.
    return os.environ.get("DATABASE_URL") or as_login(address(settings().database), MIGRATOR)


def _leave_with(channel: socket.socket) -> None:
    """End this process when the channel closes. The channel closes when the parent ends."""
    channel.recv(1)
    os._exit(0)
