"""Statements of sampled requests are sent to Lambda's X-Ray daemon, and nothing else is."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.telemetry import tracing
from chalicelib.telemetry.tracing import Message, Trace

ROOT = "1-68f0c2a5-5d1f7a5c0d3b6e4f2a1b3c4d"
SAMPLED = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:1"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(0.2)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        monkeypatch.setattr(tracing, "_is_lambda", True)
        yield daemon


def send(*messages: Message, fault: bool = False) -> None:
    trace = tracing.current()
    assert trace is not None
    started = time.perf_counter() - 0.5
    tracing.send(trace, "get_ship", started, {"request_id": "7"}, messages, fault=fault)


def received(daemon: socket.socket) -> Any:
    header, _, document = daemon.recv(65536).partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    return json.loads(document)


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (SAMPLED, Trace(ROOT, "53995c3f42cd8ad8")),
        (f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0", Trace(ROOT, None)),
        (f"Self=1-0-0;Root={ROOT}", Trace(ROOT, None)),
        ("Root=secret;Parent=53995c3f42cd8ad8;Sampled=1", None),
        ("", None),
    ],
)
def test_the_trace_is_read_from_lambdas_variable(
    header: str, trace: Trace | None, daemon: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    assert tracing.current() == trace


def test_a_request_is_a_subsegment_with_its_statements(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    now = time.perf_counter()

    send(
        Message(("SELECT  1\n FROM a", "SELECT 2"), now - 0.4, 0.1, failed=False), Message(("COMMIT",), now, 0.1, True)
    )

    document = received(daemon)
    assert (document["type"], document["trace_id"], document["parent_id"]) == ("subsegment", ROOT, "53995c3f42cd8ad8")
    assert (document["name"], document["annotations"]) == ("get_ship", {"request_id": "7"})
    assert document["end_time"] - document["start_time"] == pytest.approx(0.5, abs=0.1)
    assert abs(document["end_time"] - time.time()) < 5
    first, second = document["subsegments"]
    assert first["sql"] == {"database_type": "PostgreSQL", "sanitized_query": "SELECT 1 FROM a; SELECT 2"}
    assert first["start_time"] - document["start_time"] == pytest.approx(0.1, abs=0.1)
    assert ("fault" in first, second["fault"]) == (False, True)
    assert len({document["id"], first["id"], second["id"]}) == 3


def test_the_largest_request_fits_into_a_document(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)

    send(*[Message(("x" * 100_000,), 0, 0.1, failed=False)] * 100)

    assert len(received(daemon)["subsegments"]) == 20


def test_nothing_is_sent_for_a_request_that_is_not_sampled(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED.replace("Sampled=1", "Sampled=0"))

    send(Message(("SELECT 1",), 0, 0.1, failed=False))

    with pytest.raises(TimeoutError):
        daemon.recv(1)


@pytest.mark.parametrize("address", ["", "nonsense", "tcp:127.0.0.1:1", "127.0.0.1:1"])
def test_without_a_daemon_the_request_goes_on(
    address: str, daemon: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)

    send(Message(("SELECT 1",), 0, 0.1, failed=False))


def test_the_daemon_can_have_an_address_for_each_protocol() -> None:
    assert tracing._daemon("tcp:10.0.0.1:2000 udp:10.0.0.2:2001") == ("10.0.0.2", 2001)
