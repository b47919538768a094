"""Traces: API Gateway and Lambda make them, and the statements of a request join them as subsegments.

The X-Ray SDK takes half a second to import and patches the libraries. A subsegment is one message over UDP to Lambda's
daemon, which nobody waits for.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

import os
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from chalicelib import SQL_NAME

_ROOT = re.compile("Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_PARENT = re.compile("Parent=([0-9a-f]{16})(?:;|$)")
_HEADER = b'{"format": "json", "version": 1}\n'
# X-Ray takes documents of up to 64 kB.
_MOST_STATEMENTS = 20
_MOST_CHARACTERS = 2000


class Trace(NamedTuple):
    """The trace of the current request. `parent` is the segment to which subsegments belong; None if not sampled."""

    id: str
    parent: str | None


class Message(NamedTuple):
    """A message to PostgreSQL: its statements without values, the moment of `time.perf_counter`, and its duration."""

    statements: tuple[str, ...]
    started: float
    seconds: float
    failed: bool

    @property
    def text(self) -> str:
        """The statements in one line."""
        return " ".join("; ".join(each.strip() for each in self.statements).split())


# Lambda sets these variables: the first one for the whole life of the process, the second one for each request.
_is_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
_HEADER_OF_LAMBDA = "_X_AMZN_TRACE_ID"


def current() -> Trace | None:
    """Return the trace of the request that Lambda runs now, or None outside of Lambda."""
    header = os.environ.get(_HEADER_OF_LAMBDA) if _is_lambda else None
    # A caller can send the header, so take nothing from it but ids.
    if not header or (root := _ROOT.search(header)) is None:
        return None
    parent = _PARENT.search(header) if "Sampled=1" in header else None
    return Trace(root[1], parent[1] if parent else None)


def send(
    trace: Trace, name: str, started: float, annotations: Mapping[str, str], messages: Iterable[Message], *, fault: bool
) -> None:
    """Send a request as a subsegment, with its messages to PostgreSQL inside. Send nothing if it is not sampled.

    `started` is a moment of `time.perf_counter`. X-Ray finds traces by their annotations.
    """
    daemon = _daemon(os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))
    if trace.parent is None or daemon is None:
        return
    import socket  # noqa: PLC0415 (only sampled requests need it)

    now, zero = time.time(), time.perf_counter()
    document = {
        "type": "subsegment",
        "trace_id": trace.id,
        "parent_id": trace.parent,
        **_span(name, now - (zero - started), now, fault=fault),
        "annotations": annotations,
        "subsegments": [_query(each, now - zero) for each in list(messages)[-_MOST_STATEMENTS:]],
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0)
        try:
            udp.sendto(_HEADER + msgspec.json.encode(document), daemon)
        except OSError:  # a trace is not worth a request
            return


def _query(message: Message, offset: float) -> dict[str, Any]:
    started = message.started + offset
    return {
        **_span(f"{SQL_NAME}@postgresql", started, started + message.seconds, fault=message.failed),
        "namespace": "remote",
        "sql": {"database_type": "PostgreSQL", "sanitized_query": message.text[:_MOST_CHARACTERS]},
    }


def _span(name: str, start: float, end: float, *, fault: bool) -> dict[str, Any]:
    span = {"id": os.urandom(8).hex(), "name": name, "start_time": start, "end_time": end}
    return {**span, "fault": True} if fault else span


def _daemon(address: str) -> tuple[str, int] | None:
    """Return the daemon's address for UDP: from `host:port`, or from `tcp:host:port udp:host:port`."""
    for each in address.split():
        host, _, port = each.removeprefix("udp:").rpartition(":")
        if host and not host.startswith("tcp:") and port.isdecimal():
            return host, int(port)
    return None
