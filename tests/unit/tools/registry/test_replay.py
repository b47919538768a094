"""The replay finds the commits of each deployment, sends requests in order, and stops at a failure."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tools.__main__ import main
from tools.checkout import USER_AGENT, ToolError
from tools.local.registry import replay
from tools.local.registry.replay import Client, Commit, Deployment, with_commits

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_graph(*edges: str) -> dict[str, Commit]:
    """Return commits, one minute apart. `merge: left right` is the commit `merge` with two parents."""
    commits = [edge.partition(":") for edge in edges]
    return {
        sha: Commit(sha, tuple(parents.split()), MONDAY + timedelta(minutes=minute))
        for minute, (sha, _, parents) in enumerate(commits)
    }


def a_deployment(sha: str, *, environment: str = "dev", day: int = 0) -> Deployment:
    return Deployment(environment=environment, deployed_at=MONDAY + timedelta(days=day), sha=sha, tree=sha)


def delivered(deployments: list[Deployment], graph: dict[str, Commit]) -> list[set[str]]:
    return [{commit.sha for commit in commits} for _, commits in with_commits(deployments, graph)]


def test_an_environments_first_deployment_delivers_all_commits_before():
    graph = a_graph("a:", "b: a", "c: b")

    assert delivered([a_deployment("b")], graph) == [{"a", "b"}]


def test_a_deployment_delivers_the_commits_since_the_one_before():
    graph = a_graph("a:", "b: a", "c: b", "d: c")

    assert delivered([a_deployment("a"), a_deployment("c", day=1), a_deployment("d", day=2)], graph) == [
        {"a"},
        {"b", "c"},
        {"d"},
    ]


def test_a_merge_delivers_both_sides_and_no_commit_twice():
    graph = a_graph("a:", "left: a", "right: a", "merge: left right")

    assert delivered([a_deployment("left"), a_deployment("merge", day=1)], graph) == [
        {"a", "left"},
        {"right", "merge"},
    ]


def test_going_back_to_an_older_commit_delivers_nothing():
    graph = a_graph("a:", "b: a")

    assert delivered([a_deployment("b"), a_deployment("a", day=1)], graph) == [{"a", "b"}, set()]


def test_commits_that_were_rolled_back_are_delivered_again():
    graph = a_graph("a:", "b: a", "c: b")

    deployments = [a_deployment("b"), a_deployment("a", day=1), a_deployment("c", day=2)]

    assert delivered(deployments, graph) == [{"a", "b"}, set(), {"b", "c"}]


def test_a_reset_branch_delivers_only_its_new_commits():
    graph = a_graph("a:", "dropped: a", "rewritten: a", "next: rewritten")

    assert delivered([a_deployment("dropped"), a_deployment("next", day=1)], graph) == [
        {"a", "dropped"},
        {"rewritten", "next"},
    ]


def test_the_walk_ends_at_parents_outside_the_graph():
    graph = a_graph("b: a-of-another-time", "c: b")

    assert delivered([a_deployment("c")], graph) == [{"b", "c"}]


def test_a_commit_outside_the_graph_delivers_no_known_commits():
    graph = a_graph("a:")

    assert delivered([a_deployment("elsewhere")], graph) == [set()]


def test_each_environment_has_its_own_history():
    graph = a_graph("a:", "b: a")

    deployments = [a_deployment("a"), a_deployment("b", day=1), a_deployment("b", environment="prod", day=2)]

    assert delivered(deployments, graph) == [{"a"}, {"b"}, {"a", "b"}]


def test_deployments_are_sent_in_order_of_time_then_of_lines():
    deployments = [
        a_deployment("c", day=2),
        a_deployment("a"),
        a_deployment("b", day=1),
        a_deployment("b", day=1, environment="prod"),
    ]

    sent = [(deployment.sha, deployment.environment) for deployment, _ in with_commits(deployments, {})]

    assert sent == [("a", "dev"), ("b", "dev"), ("b", "prod"), ("c", "dev")]


def test_a_baseline_with_too_many_commits_keeps_the_latest(monkeypatch):
    graph = a_graph("a:", "b: a", "c: b")
    monkeypatch.setattr(replay, "MAX_COMMITS", 2)

    assert delivered([a_deployment("c")], graph) == [{"b", "c"}]


def test_commits_cut_from_the_baseline_are_not_delivered_later(monkeypatch):
    graph = a_graph("a:", "b: a", "c: b", "d: c")
    monkeypatch.setattr(replay, "MAX_COMMITS", 2)

    assert delivered([a_deployment("c"), a_deployment("d", day=1)], graph) == [{"b", "c"}, {"d"}]


def test_a_refusal_stops_the_replay_and_says_why():
    problem = {
        "title": "Invalid",
        "detail": "the body is invalid",
        "errors": [{"pointer": "#/x", "detail": "no"}],
    }

    with pytest.raises(ToolError, match=r"(?s)422.*the body is invalid.*#/x: no"):
        replay.replay(lambda method, path, body: (422, problem), [], {})


class Service:
    """A server that sends its answers in order, and then repeats the last answer."""

    def __init__(self, *answers: tuple[int, dict[str, str], str]) -> None:
        self.answers = list(answers)
        self.connections: set[tuple[str, int]] = set()
        self.requests: list[tuple[str, str, str | None]] = []
        self.keys: list[str | None] = []
        self.agents: set[str | None] = set()
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator["Service"]:
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                service.connections.add(self.client_address)
                service.keys.append(self.headers["Idempotency-Key"])
                service.agents.add(self.headers["User-Agent"])
                service.requests.append((self.command, self.path, self.headers["Authorization"]))
                status, headers, body = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            yield self
            server.shutdown()


@contextmanager
def a_client(service: Service, waits: list[float] | None = None, prefix: str = "") -> Iterator[Client]:
    client = Client(service.url + prefix, "a-token", sleep=[].append if waits is None else waits.append)
    yield client
    client._connection.close()


def test_one_connection_carries_all_requests():
    with Service((200, {}, '{"ok": true}')).listening() as service, a_client(service, prefix="/stage/") as client:
        answers = [client.send("POST", "/v1/systems", {}) for _ in range(3)]

    assert answers == [(200, {"ok": True})] * 3
    assert service.requests == [("POST", "/stage/v1/systems", "Bearer a-token")] * 3
    assert len(service.connections) == 1
    assert service.agents == {USER_AGENT}


def test_an_unready_service_is_asked_again_after_its_retry_after():
    waits: list[float] = []
    answers = [(503, {"Retry-After": "5"}, "{}"), (503, {"Retry-After": "3600"}, "{}"), (201, {}, "{}")]

    with Service(*answers).listening() as service, a_client(service, waits) as client:
        answer = client.send("POST", "/v1/systems", {})

    assert answer == (201, {})
    assert waits == [5, Client.LONGEST_WAIT_SECONDS]


def test_a_retry_repeats_its_key_and_another_request_has_its_own():
    with Service((503, {}, "{}"), (201, {}, "{}")).listening() as service, a_client(service) as client:
        client.send("POST", "/v1/systems", {})
        client.send("POST", "/v1/systems", {})

    first, again, second = service.keys
    assert first == again
    assert second not in (None, first)


def test_the_replay_gives_up_on_a_service_that_never_becomes_ready():
    with Service((503, {}, '{"detail": "no database"}')).listening() as service, a_client(service) as client:
        answer = client.send("POST", "/v1/systems", {})

    assert answer == (503, {"detail": "no database"})
    assert len(service.requests) == Client.ATTEMPTS


def test_if_no_service_runs_the_message_says_how_to_start_it():
    with Service((200, {}, "{}")).listening() as service:
        pass

    with a_client(service) as client, pytest.raises(ToolError, match="make run"):
        client.send("POST", "/v1/systems", {})


def test_another_server_at_the_address_is_recognised():
    service = Service((200, {}, "<html>"))

    with service.listening(), a_client(service) as client, pytest.raises(ToolError, match="not this API"):
        client.send("POST", "/v1/systems", {})


def test_the_command_explains_an_invalid_address(capsys):
    assert main(["local", "replay", "--url", "x"], {}) == 2

    said = capsys.readouterr().err
    assert "URL=x is not an address" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_an_invalid_address_is_refused(url):
    with pytest.raises(ToolError, match="URL="):
        Client(url, "a-token")
