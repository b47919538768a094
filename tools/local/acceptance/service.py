"""The service as somebody outside sees it: over HTTP, with timeouts, and how long each operation took."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tools.checkout import ROOT, ToolError
from tools.local.acceptance.settings import SYSTEM, AcceptanceSettings, is_loopback
from tools.local.gateway_event import NoRoute, Routes

CONNECT_SECONDS = 5
READ_SECONDS = 35  # API Gateway gives up after 29
READY_SECONDS = 120  # Aurora needs some 15 to resume
IDLE_SECONDS = 90  # longer than a deployment of the tests takes
POLL_SECONDS = 2.0

DOCUMENT = json.loads((ROOT / "chalicelib" / "api_description" / "openapi.json").read_text())

_ROUTES = Routes(DOCUMENT["paths"])


class NotReady(Exception):
    """The service did not become ready; the message has its last word."""


class Answer(NamedTuple):
    """What came back to a request. As text it is one line that says so."""

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
            raise AssertionError(f"{self}: its body is not JSON") from None

    @property
    def problem(self) -> str:
        """The slug of the problem that this answer is; empty if it is none."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return ""
        return str(self.json.get("type", "")).removeprefix("/problems/")

    def expect(self, *statuses: int) -> Self:
        """This answer; raises AssertionError unless it has one of the statuses."""
        if self.status not in statuses:
            raise AssertionError(f"{self}, not {' or '.join(map(str, statuses))}")
        return self

    def __str__(self) -> str:
        problem = f" {self.problem}: {self.json.get('detail')}" if self.problem else ""
        return f"{self.method} {self.path} answered {self.status}{problem}"


class Latency(NamedTuple):
    """How long answers of an operation took, in milliseconds, the network included."""

    operation: str
    answers: int
    p50_ms: float
    p95_ms: float


class Latencies:
    """What was measured so far, by operation of the OpenAPI document."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def add(self, method: str, path: str, seconds: float) -> None:
        """Count an answer of an operation; of what is none, nothing."""
        if (operation := operation_of(method, path)) is not None:
            self._seconds.setdefault(operation, []).append(seconds)

    def table(self) -> list[Latency]:
        return [
            Latency(operation, len(seconds), _milliseconds(seconds, 0.5), _milliseconds(seconds, 0.95))
            for operation, seconds in sorted(self._seconds.items())
        ]


class Service:
    """Asks the service. `inspect` is shown every answer, and may raise AssertionError.

    No redirect is followed, and only a connection that never came about is tried again: what was sent may have had its
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
        # A proxy of the machine's has no business with the machine itself.
        self._session.trust_env = not is_loopback(settings.url)
        retries = Retry(total=None, connect=3, read=0, redirect=0, status=0, other=0, backoff_factor=0.3)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Ask with the caller's token; header names are written as Python names: `if_none_match`."""
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
        """Send a request. Bytes go as they are; `authorization` replaces the header, None leaves it out."""
        # Unencoded, since a CDN weakens the ETag of what it compresses.
        sent = {"Accept-Encoding": "identity", "User-Agent": "slipway-acceptance", **(headers or {})}
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
        if received.ok:  # refusals are faster, and some of them another layer's
            self._latencies.add(method, path, seconds)
        answer = Answer(method, path, received.status_code, received.headers, received.content)
        if self._inspect is not None:
            self._inspect(answer)
        return answer

    def wait_until_ready(self, wait: "Wait") -> None:
        """Wait until /v1/ready says so; raises NotReady."""
        if last := wait(f"{self.settings.url}/v1/ready", self._readiness):
            raise NotReady(f"{self.settings.url}/v1/ready is not ready after {wait.seconds:.0f} s: {last}")

    def wait_until_idle(self, wait: "Wait") -> None:
        """Wait until no other run deploys there: a killed one does so until its lease ends. Raises ToolError."""
        if last := wait(f"the system {self.settings.system!r}", self._business):
            raise ToolError(
                f"Another run is busy with the system {self.settings.system!r} ({last}): wait for it, or give this one "
                f"another, as in SYSTEM={SYSTEM}-2"
            )

    def _readiness(self) -> str | None:
        """None once it is ready, else what speaks against it."""
        try:
            answer = self.ask("GET", "/v1/ready", authorization=None)
        except requests.RequestException as error:
            return f"it can't be reached, {type(error).__name__}"
        try:
            if answer.status == 200 and answer.json["status"] == "ready":
                return None
        except (AssertionError, KeyError, TypeError):
            return "what answers there is not Slipway: is the path of URL right?"
        return str(answer)

    def _business(self) -> str | None:
        """None while nothing is being deployed in the system, be it there or not."""
        address = f"/v1/systems/{self.settings.system}/deployments?state=in_progress"
        answer = self.get(address)
        if answer.status == 200 and answer.json["items"]:
            return f"deployment {answer.json['items'][0]['id']} is in progress"
        return None


class Wait:
    """Waits until a question is answered with None. `say` is told once that it waits, and for what."""

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
        """None once there is no obstacle, or the last one when the time is over."""
        deadline = self._clock() + self.seconds
        said = False
        while (last := obstacle()) is not None and self._clock() < deadline:
            if not said:
                self._say(f"waiting for {what}, {self.seconds:.0f} s at the most: {last}")
                said = True
            self._sleep(POLL_SECONDS)
        return last


def operation_of(method: str, path: str) -> str | None:
    """The operationId of a request, or None where the OpenAPI document has none."""
    try:
        template, _ = _ROUTES.match(path.partition("?")[0])
    except NoRoute:
        return None
    name: str | None = DOCUMENT["paths"][template].get(method.lower(), {}).get("operationId")
    return name


def _milliseconds(seconds: Sequence[float], quantile: float) -> float:
    """The nearest-rank quantile."""
    ranked = sorted(seconds)
    return round(ranked[max(0, math.ceil(quantile * len(ranked)) - 1)] * 1000, 1)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from replacing the header Authorization by what ~/.netrc has for the host."""
    return request
