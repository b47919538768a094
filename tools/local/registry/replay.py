"""`make replay`: import a real deployment history into a running service.

The history is in tests/data/registry/azul. It comes from the public git tags of DataBiosphere/azul. A second replay
changes nothing. A replay after a stop records only the missing deployments.

`URL` is the service's address. `TOKEN` is an admin's token, because only an admin may create the system. Without
`TOKEN`, the local issuer makes this token.
"""

import heapq
import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from chalicelib.deployments.model import MAX_COMMITS
from tools.checkout import ROOT, USER_AGENT, ToolError, UsageError

HISTORY = ROOT / "tests" / "data" / "registry" / "azul"
SYSTEM = {
    "key": "azul",
    "name": "Azul",
    "repository": "https://github.com/DataBiosphere/azul",
    "artifact_kind": "tree",
}
ENVIRONMENTS = [
    {"name": "dev", "rank": 1},
    {"name": "integration", "rank": 2},
    {"name": "staging", "rank": 3},
    {"name": "prod", "rank": 4, "production": True},
]
ADDRESS = f"/v1/systems/{SYSTEM['key']}"

Send = Callable[[str, str, Any], tuple[int, Any]]
"""A function that sends a request with a method, path and body. It returns the status and the parsed answer."""


@dataclass(frozen=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    authored_at: datetime


@dataclass(frozen=True)
class Deployment:
    environment: str
    deployed_at: datetime
    sha: str
    tree: str

    @property
    def artifact(self) -> str:
        return f"tree:{self.tree}"


@dataclass(frozen=True)
class Summary:
    """The number of deployments that this replay recorded, and the number of deployments that were recorded before."""

    recorded: int
    known: int


def main(environ: Mapping[str, str]) -> None:
    """Replay the history to the service at URL, or raise ToolError."""
    url = environ["URL"]
    deployments, graph = read_history()
    try:
        send = Client(url, _token(environ)).send
        summary = replay(send, deployments, graph, progress=progress_bar)
        print(f"{summary.recorded} deployments recorded, {summary.known} were recorded before")
        print(*_table(expect(send("GET", f"{ADDRESS}/state", None), 200)["targets"]), sep="\n", end="\n\n")
    except ToolError as stopped:
        raise type(stopped)(
            f"{stopped}\nThe deployments sent so far are recorded: run the command again to go on."
        ) from None
    except KeyboardInterrupt:
        raise ToolError(
            "\nStopped. The deployments sent so far are recorded: run the command again to go on."
        ) from None
    print("To see what each environment runs, and the history of one artifact:")
    for path in (f"{ADDRESS}/state", f"{ADDRESS}/artifacts/{_best_travelled(deployments)}"):
        print(f'  curl -H "Authorization: Bearer $(make -s token ROLE=viewer)" {url.rstrip("/")}{path}')


def read_history(folder: Path = HISTORY) -> tuple[list[Deployment], dict[str, Commit]]:
    """Return the deployments, and the commits by SHA."""
    deployments = [
        Deployment(**{**line, "deployed_at": datetime.fromisoformat(line["deployed_at"])})
        for line in _lines(folder / "deployments.ndjson")
    ]
    commits = [
        Commit(line["sha"], tuple(line["parents"]), datetime.fromisoformat(line["authored_at"]))
        for line in _lines(folder / "commits.ndjson")
    ]
    return deployments, {commit.sha: commit for commit in commits}


def replay(
    send: Send,
    deployments: Iterable[Deployment],
    graph: Mapping[str, Commit],
    progress: Callable[[list[Any]], Iterable[Any]] = iter,
) -> Summary:
    """Record the deployments. Create the system and environments that are missing. Raise ToolError after a refusal."""
    _create_what_is_missing(send)
    statuses = [
        _record(send, deployment, commits) for deployment, commits in progress(list(with_commits(deployments, graph)))
    ]
    return Summary(recorded=statuses.count(201), known=statuses.count(200))


def with_commits(
    deployments: Iterable[Deployment], graph: Mapping[str, Commit]
) -> Iterator[tuple[Deployment, list[Commit]]]:
    """Yield the deployments in the order of time. With each, yield its newest new commits, at most MAX_COMMITS.

    A deployment delivers the commits that the deployment before it to the same environment did not have. So going back
    to an older commit delivers nothing. An environment's first deployment delivers the whole history of its commit. A
    history ends at parents that are not in the graph.
    """
    current: dict[str, set[str]] = {}
    for deployment in sorted(deployments, key=lambda deployment: deployment.deployed_at):
        whole = _ancestors(deployment.sha, graph)
        new = whole - current.get(deployment.environment, set())
        current[deployment.environment] = whole
        commits = heapq.nlargest(
            MAX_COMMITS, (graph[sha] for sha in new), key=lambda each: (each.authored_at, each.sha)
        )
        yield deployment, commits


class Client:
    """A client of the API that keeps one connection open."""

    ATTEMPTS = 5
    TIMEOUT_SECONDS = 30
    LONGEST_WAIT_SECONDS = 30

    def __init__(self, url: str, token: str, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        connections = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if parts.scheme not in connections or not parts.hostname:
            raise UsageError(f"URL={url} is not an address of the API: use http://… or https://…")
        self._url = url
        self._prefix = parts.path.rstrip("/")
        self._connection = connections[parts.scheme](parts.netloc, timeout=self.TIMEOUT_SECONDS)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
        }
        self._sleep = sleep

    def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Send a request. Return the status and the parsed answer. Retry after a 503 or a lost connection.

        Raise ToolError if the service does not answer.
        """
        # With the key, a retry has no second effect, even if only the answer was lost.
        added = {"POST": {"Idempotency-Key": str(uuid.uuid4())}, "PATCH": {"If-Match": "*"}, "PUT": {"If-Match": "*"}}
        headers = {**self._headers, **added.get(method, {})}
        attempt = 1
        while True:
            try:
                status, wait_seconds, text = self._exchange(method, path, body, headers)
            except ConnectionRefusedError:
                raise ToolError(
                    f"No service listens at {self._url}: start one with `make run`, or correct URL"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if attempt == self.ATTEMPTS:
                    raise ToolError(
                        f"{self._url} does not answer ({error!r}): check URL and the service's log"
                    ) from None
                wait_seconds = 1
            else:
                if status != http.HTTPStatus.SERVICE_UNAVAILABLE or attempt == self.ATTEMPTS:
                    return status, self._parsed(text)
            self._sleep(min(wait_seconds, self.LONGEST_WAIT_SECONDS))
            attempt += 1

    def _exchange(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, int, bytes]:
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, self._prefix + path, sent, headers)
        response = self._connection.getresponse()
        retry_after = response.headers.get("Retry-After", "")
        return response.status, int(retry_after) if retry_after.isdecimal() else 1, response.read()

    def _parsed(self, text: bytes) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            raise ToolError(f"The answer from {self._url} is not this API's: {text[:100]!r}. Check URL") from None


def _create_what_is_missing(send: Send) -> None:
    status, answer = send("GET", ADDRESS, None)
    if status == http.HTTPStatus.NOT_FOUND:
        expect(send("POST", "/v1/systems", SYSTEM), 201)
    else:
        expect((status, answer), 200)
    there = expect(send("GET", f"{ADDRESS}/environments?limit=200", None), 200)["items"]
    names = {environment["name"] for environment in there}
    for environment in ENVIRONMENTS:
        if environment["name"] not in names:
            expect(send("POST", f"{ADDRESS}/environments", environment), 201)


def _record(send: Send, deployment: Deployment, commits: list[Commit]) -> int:
    """Import one deployment. Return the status: 201, or 200 if the deployment was recorded before."""
    at = deployment.deployed_at.isoformat()
    body = {
        "environment": deployment.environment,
        "artifact": deployment.artifact,
        "revision": deployment.sha,
        "commits": [{"sha": commit.sha, "authored_at": commit.authored_at.isoformat()} for commit in commits],
        "imported": True,
        "state": "succeeded",
        "started_at": at,
        "finished_at": at,
    }
    answer = send("POST", f"{ADDRESS}/deployments", body)
    expect(answer, 200, 201)
    return answer[0]


def expect(answer: tuple[int, Any], *statuses: int) -> Any:
    """Return the answer's body. Raise ToolError unless the answer has one of these statuses."""
    status, body = answer
    if status in statuses:
        return body
    body = body if isinstance(body, dict) else {}
    said = [str(body.get("detail") or body.get("title") or body.get("message") or "no reason given")]
    said += [f"{error.get('pointer')}: {error.get('detail')}" for error in body.get("errors", ())]
    advice = {
        401: "The service does not trust this token. Unset TOKEN, or set it to a token for the service at URL.",
        403: "A replay needs an admin's token: unset TOKEN, or set TOKEN=$(make -s token ROLE=admin).",
    }
    raise ToolError(
        "\n".join([f"The service answered {status}: {'; '.join(said)}", *filter(None, [advice.get(status)])])
    )


def _ancestors(sha: str, graph: Mapping[str, Commit]) -> set[str]:
    """Return a commit and its ancestors."""
    found: set[str] = set()
    ahead = [sha]
    while ahead:
        each = ahead.pop()
        if each in graph and each not in found:
            found.add(each)
            ahead.extend(graph[each].parents)
    return found


def _best_travelled(deployments: Iterable[Deployment]) -> str:
    """Return the artifact that went to the most environments. If several did, return the last in the list."""
    environments: dict[str, set[str]] = {}
    for deployment in reversed(list(deployments)):
        environments.setdefault(deployment.artifact, set()).add(deployment.environment)
    return max(environments, key=lambda artifact: len(environments[artifact]))


def _table(targets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{'environment':<12} {'artifact':<18} {'revision':<9} {'deployed':<17} behind the previous environment"
    for target in targets:
        current, drift = target["current"], target["drift"]
        if current is None:
            yield f"{target['environment']:<12} nothing yet"
            continue
        finished_at = datetime.fromisoformat(current["finished_at"]).astimezone(UTC)
        behind = "" if drift is None else f"{_known(drift['commits'])} commits, {_days(drift['seconds'])} days"
        yield (
            f"{target['environment']:<12} {current['artifact'][:17] + '…':<18} {(current['revision'] or '-')[:8]:<9} "
            f"{finished_at:%Y-%m-%d %H:%M}  {behind}"
        )


def _known(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _days(seconds: int | None) -> str:
    return _known(None if seconds is None else round(seconds / 86400))


def _lines(path: Path) -> Iterator[Any]:
    with path.open() as file:
        yield from map(json.loads, file)


def progress_bar(parts: list[Any]) -> Iterable[Any]:
    # `disable=None` shows the bar only on a terminal.
    bar: Iterable[Any] = tqdm(parts, desc="recording", disable=None)
    return bar


def _token(environ: Mapping[str, str]) -> str:
    if given := environ["TOKEN"]:
        return given
    from tools.local.issuer import token  # noqa: PLC0415 (only needed without a token)

    return str(token("admin"))
