"""Call a service over HTTP as an outside client does, with timeouts, and measure each operation."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tools.checkout import ROOT, USER_AGENT
from tools.local.acceptance.settings import AcceptanceSettings, is_loopback
from tools.local.gateway_event import NoRoute, Routes

CONNECT_SECONDS = 5
READ_SECONDS = 35  # API Gateway gives up after 29 s
READY_SECONDS = 120  # Aurora needs about 15 s to resume
POLL_SECONDS = 2.0

DOCUMENT = json.loads((ROOT / "chalicelib" / "api_description" / "openapi.json").read_text())

_ROUTES = Routes(DOCUMENT["paths"])


class NotReady(Exception):
    """The service did not become ready. The message has the service's last answer."""


class Answer(NamedTuple):
    """The answer to a request. `str` returns one line about the answer."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"{self} with a body that is not JSON: check URL") from None

    @property
    def problem(self) -> str:
        """The slug of the problem in this answer, or "" if the answer is no problem."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return ""
        return str(self.json.get("type", "")).removeprefix("/problems/")

    def expect(self, *statuses: int) -> Self:
        """Return this answer. Raise AssertionError unless the answer has one of these statuses."""
        if self.status not in statuses:
            raise AssertionError(f"{self}, not {' or '.join(map(str, statuses))}")
        return self

    def __str__(self) -> str:
        problem = f" {self.problem}: {self.json.get('detail')}" if self.problem else ""
        return f"{self.method} {self.path} answered {self.status}{problem}"


class Latency(NamedTuple):
    """The time that an operation's answers took, in milliseconds, including the network."""

    operation: str
    answers: int
    p50_ms: float
    p95_ms: float


class Latencies:
    """The measurements so far, by operation of the OpenAPI document."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def add(self, method: str, path: str, seconds: float) -> None:
        """Add a measurement if the request is an operation of the OpenAPI document."""
        if (operation := operation_of(method, path)) is not None:
            self._seconds.setdefault(operation, []).append(seconds)

    def table(self) -> list[Latency]:
        return [
            Latency(operation, len(seconds), _milliseconds(seconds, 0.5), _milliseconds(seconds, 0.95))
            for operation, seconds in sorted(self._seconds.items())
        ]


class Service:
    """A client of the service. `inspect` gets every answer, and may raise AssertionError.

    The client follows no redirect. It tries again only if it could not connect, because a sent request may have had an
    effect.
    """

    def __init__(
        self,
        settings: AcceptanceSettings,
        latencies: Latencies | None = None,
        inspect: Callable[[Answer], None] | None = None,
    ) -> None:
        self.settings = settings
        self._latencies = latencies or Latencies()
        self._inspect = inspect
        self._session = requests.Session()
        # Do not use this machine's proxy for a service on this machine.
        self._session.trust_env = not is_loopback(settings.url)
        retries = Retry(total=None, connect=3, read=0, redirect=0, status=0, other=0, backoff_factor=0.3)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Send a GET with the token of the settings. Header names are written as Python names: `if_none_match`."""
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = "",
    ) -> Answer:
        """Send a request, with `body` as JSON, or unchanged if it is bytes.

        `authorization` is the header Authorization. "" sends the token of the settings, and None leaves out the header.
        """
        # Ask for no compression, because a CDN weakens the ETag of a compressed answer.
        sent = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **(headers or {})}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        if authorization is not None:
            sent["Authorization"] = authorization or f"Bearer {self.settings.token}"
        started = time.perf_counter()
        received = self._session.request(
            method,
            self.settings.url + path,
            data=body if isinstance(body, bytes | None) else json.dumps(body).encode(),
            headers=sent,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            auth=_as_it_is,
        )
        seconds = time.perf_counter() - started
        if received.ok:  # leave out refusals, because they are faster and can come from another layer
            self._latencies.add(method, path, seconds)
        answer = Answer(method, path, received.status_code, received.headers, received.content)
        if self._inspect is not None:
            self._inspect(answer)
        return answer

    def wait_until_ready(self, wait: "Wait") -> None:
        """Wait until /v1/ready says that the service is ready, or raise NotReady."""
        if last := wait(f"{self.settings.url}/v1/ready", self._readiness):
            raise NotReady(
                f"{self.settings.url}/v1/ready is not ready after {wait.seconds:.0f} s: {last}. Read the service's logs"
            )

    def _readiness(self) -> str | None:
        """Return None if the service is ready, or the reason why it is not."""
        try:
            answer = self.ask("GET", "/v1/ready", authorization=None)
        except requests.RequestException as error:
            return f"the service can't be reached ({type(error).__name__})"
        try:
            if answer.status == 200 and answer.json["status"] == "ready":
                return None
        except (AssertionError, KeyError, TypeError):
            return "the answer is not the service's: check the path in URL"
        return str(answer)


class Wait:
    """A wait of at most `seconds` until an obstacle is gone. If the wait is needed, `say` gets a line."""

    def __init__(
        self,
        seconds: float,
        say: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._say = say
        self._clock = clock
        self._sleep = sleep

    def __call__(self, what: str, obstacle: Callable[[], str | None]) -> str | None:
        """Return None as soon as there is no obstacle, or the last obstacle when the time is over."""
        deadline = self._clock() + self.seconds
        said = False
        while (last := obstacle()) is not None and self._clock() < deadline:
            if not said:
                self._say(f"waiting for {what}, at most {self.seconds:.0f} s: {last}")
                said = True
            self._sleep(POLL_SECONDS)
        return last


def operation_of(method: str, path: str) -> str | None:
    """Return the operationId of a request, or None if the OpenAPI document has none."""
    try:
        template, _ = _ROUTES.match(path.partition("?")[0])
    except NoRoute:
        return None
    name: str | None = DOCUMENT["paths"][template].get(method.lower(), {}).get("operationId")
    return name


def _milliseconds(seconds: Sequence[float], quantile: float) -> float:
    """Return the nearest-rank quantile in milliseconds."""
    ranked = sorted(seconds)
    return round(ranked[max(0, math.ceil(quantile * len(ranked)) - 1)] * 1000, 1)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request unchanged. Without this function, `requests` would send the host's login from ~/.netrc."""
    return request
