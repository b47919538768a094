"""Call Slipway from a pipeline with the job's own OIDC token, and retry while the service wakes up.

This module uses only the standard library: the actions for other repositories run it with any Python.
"""

import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from tools.checkout import USER_AGENT, ToolError, UsageError
from tools.slipway_client.runner import needed

Json = dict[str, Any]

TIMEOUT_SECONDS = 30
# Seconds before each attempt. They add up to 31, because a sleeping database takes 15 seconds to wake up.
_PAUSES_BEFORE = (0, 1, 2, 4, 8, 16)
_LONGEST_PAUSE = 30
_PASSING = {429, 500, 502, 503, 504}
_LARGEST_ANSWER = 16 * 1024 * 1024
_TOKEN = re.compile("[!-~]+")
_KEY, _REPLAYED = "Idempotency-Key", "Idempotency-Replayed"


class Unreachable(ToolError):
    """Slipway did not answer, or answered only with temporary errors. Its decision is unknown."""


class Refused(ToolError):
    """Slipway refused the request; `problem` is its problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.problem = problem
        self.slug = str(problem.get("type", "")).rpartition("/")[2]
        detail = problem.get("detail", "no reason given")
        super().__init__(f"Slipway refused the request ({status} {self.slug}, see docs/problems.md): {detail}")


class Recorded(NamedTuple):
    """The answer to a write. `existing` is true if Slipway had made the record before; `tries` counts the requests."""

    document: Json
    existing: bool
    tries: int

    @property
    def replayed(self) -> bool:
        """True if an earlier call made the record, and not a lost try of this call."""
        return self.existing and self.tries == 1


class RegistryClient:
    """A client for one system in Slipway. `environ` has the step's variables; `pause` waits for some seconds."""

    def __init__(self, environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
        self._environ = environ
        self._pause = pause
        self.system = needed(environ, "SLIPWAY_SYSTEM", "shop")
        url = needed(environ, "SLIPWAY_URL", "https://slipway.example.org").rstrip("/")
        _require_confidential(url)
        self._base = f"{url}/v1/systems/{quote(self.system, safe='')}"

    def get(self, path: str, **query: str) -> Json:
        """Return the document at a path of the system, or raise Refused, Unreachable or ToolError."""
        return self._ask("GET", f"{self._base}/{path}" + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Json, *, again: bool = False) -> Json:
        """Write to the system as `record` does, and return the document in the answer."""
        return self.record(path, body, again=again).document

    def record(self, path: str, body: Json, *, again: bool = False, seen: Sequence[str] = ()) -> Recorded:
        """Write to the system once, even if several tries are needed. Return the answer, or raise as `get` does.

        Two equal writes in one attempt of a run count as one, unless `again` is true or `seen` differs. `seen` has
        facts that the body lacks, such as the last deployment before the write.
        """
        members = {name: value for name, value in body.items() if value is not None}
        key = self._key([path, members, *seen], again=again)
        document, status, headers, tries = self._exchange("POST", f"{self._base}/{path}", members, {_KEY: key})
        return Recorded(document, status == 200 or _REPLAYED in headers, tries)

    def change(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a PUT, PATCH or DELETE to the system, without checking for other changes, or raise as `get` does.

        A repeated change has no further effect, so it needs no idempotency key.
        """
        return self._ask(method, f"{self._base}/{path}", body, {"If-Match": "*"})

    def _key(self, facts: list[Any], *, again: bool) -> str:
        run = self._environ.get("GITHUB_RUN_ID")
        if again or not run:
            return str(uuid.uuid4())
        # The body is part of the key, because a run can record two suites or deploy to two environments.
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return f"{run}-{self._environ.get('GITHUB_RUN_ATTEMPT', '1')}-{digest[:32]}"

    def _ask(self, method: str, url: str, body: Json | None = None, headers: Mapping[str, str] | None = None) -> Json:
        return self._exchange(method, url, body, headers or {})[0]

    def _exchange(
        self, method: str, url: str, body: Json | None, headers: Mapping[str, str]
    ) -> tuple[Json, int, Message, int]:
        sent = {"Authorization": f"Bearer {token(self._environ, self._pause)}", "Accept": "application/json", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        return _exchange(method, url, sent, content, self._pause, _document)


def token(environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> str:
    """Return SLIPWAY_TOKEN, or a new token that GitHub issues to this job, or raise ToolError or Unreachable.

    GitHub's tokens expire after minutes.
    """
    if given := environ.get("SLIPWAY_TOKEN", "").strip():
        if not _TOKEN.fullmatch(given):
            raise UsageError("SLIPWAY_TOKEN is no token, because it has spaces or odd characters: copy the token again")
        return given
    address = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    if not address:
        raise ToolError(
            "There is no token for Slipway: in a workflow, give the job `permissions: id-token: write`; on your "
            "machine, set SLIPWAY_TOKEN"
        )
    audience = urlencode({"audience": environ.get("SLIPWAY_AUDIENCE") or "slipway"})
    headers = {"Authorization": f"Bearer {environ.get('ACTIONS_ID_TOKEN_REQUEST_TOKEN', '')}"}
    try:
        answer = send("GET", f"{address}&{audience}", headers, None, pause)
    except Refused as refusal:
        raise ToolError(
            f"GitHub issued no token ({refusal.status}): give the job `permissions: id-token: write`"
        ) from None
    return str(answer.get("value", ""))


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes | None,
    pause: Callable[[float], None],
    read: Callable[[bytes], Any] | None = None,
) -> Any:
    """Send a request, and return its answer as `read` reads it, or raise Refused or Unreachable.

    Without `read`, the answer is a JSON object. An answer that `read` refuses with ValueError counts as no answer.
    """
    return _exchange(method, url, headers, content, pause, read or _document)[0]


def _exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes | None,
    pause: Callable[[float], None],
    read: Callable[[bytes], Any],
) -> tuple[Any, int, Message, int]:
    """Return the answer as `read` reads it, its status, its headers, and the number of tries. Raise as `send` does."""
    why = ""
    asked_to_wait = 0.0
    for tries, seconds in enumerate(_PAUSES_BEFORE, 1):
        if seconds:
            pause(max(seconds, asked_to_wait))
        request = urllib.request.Request(url, content, {"User-Agent": USER_AGENT, **headers}, method=method)
        try:
            try:
                with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    told = {} if answer.status == 204 else read(answer.read(_LARGEST_ANSWER))
                    return told, answer.status, answer.headers, tries
            except urllib.error.HTTPError as error:
                with error:
                    said = error.read(_LARGEST_ANSWER)
                if error.code not in _PASSING:
                    raise Refused(error.code, _problem(said)) from None
                why = f"status {error.code}"
                asked_to_wait = min(_seconds(error.headers.get("Retry-After")), _LONGEST_PAUSE)
        except (
            OSError,
            http.client.HTTPException,
            ValueError,
        ) as error:  # an answer that is cut off or not JSON counts as no answer
            why = str(error) or type(error).__name__
    raise Unreachable(f"{urlsplit(url).netloc} failed in {len(_PAUSES_BEFORE)} tries ({why}): try again later")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuse redirects: they would carry the token to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _require_confidential(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
        raise UsageError(f"SLIPWAY_URL is {url!r}: use https://, because a token is sent there")


def _document(content: bytes) -> Json:
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 (json.loads raises ValueError too)
    return document


def _problem(content: bytes) -> Json:
    """Return a problem document. A proxy's answer can be no JSON: then the start of the answer becomes the detail."""
    try:
        return _document(content)
    except ValueError:
        return {"detail": content[:200].decode(errors="replace")}


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdecimal() else 0.0
