"""Logs that a query can read: each line is one JSON object with FIELDS.

No line has a token, personal data or another text of a caller. So an exception is logged without its message, which may
quote a request, and every text is searched for what looks like a secret.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any

import msgspec

from chalicelib import NAME, running
from chalicelib.telemetry import tracing
from chalicelib.telemetry.metrics import Metric, Sample, directive

logger = logging.getLogger(NAME)

# The fields of a line, besides the metrics and their dimensions. `extra` of a log call may have these and no others.
FIELDS = {
    "level": "INFO; WARNING for what is slow or unusual; ERROR for what the service must never do",
    "message": "`request` for the line that each request has; other lines say what happened",
    "environment": "where it happened",
    "workspace": "`default` is the environment itself",
    "deployment": "what ran: the first 12 digits of the package's digest",
    "request_id": "the request, as in the answer's header `X-Request-Id`",
    "trace_id": "the trace, as in X-Ray and in the gateway's log",
    "traceparent": "the caller's trace, if the caller sent one (W3C Trace Context)",
    "baggage": "what the caller's trace carries, cut to 500 characters",
    "operation": "the `operationId` in the OpenAPI document, or the function that runs by schedule",
    "system": "the key of the system that the request names",
    "id": "the id in the request's path, if it is a number",
    "principal": "the kind of caller: `person`, `pipeline` or `local`",
    "status": "the answer's status",
    "problem": "the answer's type of problem, as in docs/problems.md",
    "statements": "how many messages went to PostgreSQL",
    "statement": "the SQL that failed, or the slowest of a slow request, without its values",
    "reason": "why it happened",
    "exception": "the exceptions and where they were raised, without their messages",
    "check": "the check that refused a token",
    "issuer": "an issuer of tokens",
    "what": "what the sweep left",
    "swept": "how many records of each kind the sweep ended",
}

MOST_CHARACTERS = 1000
_MOST_OF_EXCEPTION = 8000
_REMOVED = "[removed]"
_SECRET = re.compile(
    r"""
    eyJ[\w-]{5,}(?:\.[\w-]*)*                                    # a JWT, or its beginning
    | (?i:bearer|basic)\s+[^\s,;]+                               # the header Authorization
    | (?:A[KS]IA|gh[a-z]_|github_pat_|xox[a-z]-)[\w-]{10,}       # keys of AWS, GitHub and Slack
    | (?i:[\w-]*(?:password|secret|token|signature|session|api-?key))(?:=|%3[Dd])[^\s,;&]+
    | [\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+                      # an e-mail address
    | (?<=://)[^/\s@]+@                                          # a login in a URL
    | -----BEGIN[^-]*-----
    | [\w+/=-]{64,}                                              # too long for a word or an id
    """,
    re.VERBOSE,
)

# The fields that all lines of the current request have. `rest` sets it for each request, and the sweep for each run.
about: ContextVar[Callable[[], dict[str, Any]] | None] = ContextVar("about", default=None)

# True if exceptions are logged with their messages. The local server sets it: its data are the developer's own.
with_messages = False


def _print(line: str) -> None:
    sys.stdout.write(line)  # in one piece, because Lambda makes an event of each piece
    sys.stdout.flush()


# Takes each line. Lambda collects standard output; the local server takes the lines itself.
sink: Callable[[str], object] = _print


@cache
def place() -> dict[str, str]:
    """Return the fields that all lines of this process have."""
    package = running.package()
    known = {"environment": running.environment(), "workspace": running.workspace()}
    return {**known, "deployment": package.removeprefix("sha256:")[:12]} if package else known


def write(level: str, message: str, fields: dict[str, Any], metrics: msgspec.Raw | None = None) -> None:
    """Write one line. `metrics` says which of its fields CloudWatch reads as metrics: see `metrics.directive`."""
    line: dict[str, Any] = {"level": level, "message": message, **place(), **fields}
    if metrics is not None:
        line["_aws"] = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": metrics}
    sink(msgspec.json.encode(line).decode() + "\n")


def write_with_samples(
    level: str, message: str, fields: dict[str, Any], samples: Iterable[Sample], others: Sequence[Metric] = ()
) -> None:
    """Write one line with metrics: the samples, and `others`, whose values are in `fields`.

    A metric with two samples, for two values of its dimension, gets a second line.
    """
    metrics, left = [*others], list[Sample]()
    for each in samples:
        if each.metric in metrics:
            left.append(each)
        else:
            metrics.append(each.metric)
            fields |= each.fields()
    write(level, message, fields, directive(*metrics) if metrics else None)
    if left:
        write_with_samples("INFO", "counted", {name: fields[name] for name in _OF_CONTEXT if name in fields}, left)


_OF_CONTEXT = ("request_id", "trace_id", "operation", "system")


def safe(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text in ASCII, cut to `most` characters, without what looks like a token or an e-mail address."""
    printable = text[: 2 * most].encode("ascii", "backslashreplace").decode()
    return _SECRET.sub(_REMOVED, printable)[:most]


def failure(error: BaseException) -> str:
    """Return where an exception and its causes were raised, the first cause first, without their messages.

    Only exceptions of the service that say so (`is_without_data`) keep their message.
    """
    text = "".join(traceback.format_exception(error)) if with_messages else _without_messages(error)
    return text[-_MOST_OF_EXCEPTION:].encode("ascii", "backslashreplace").decode()


def _without_messages(error: BaseException) -> str:
    told: list[str] = []
    current: BaseException | None = error
    while current is not None and len(told) < 10:
        frames = "".join(traceback.format_tb(current.__traceback__))
        said = f": {safe(str(current))}" if getattr(current, "is_without_data", False) else ""
        told.append(f"{frames}{type(current).__module__}.{type(current).__qualname__}{said}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nwhich led to:\n".join(reversed(told))


class JsonLines(logging.Formatter):
    """The format of the lines that `logger` writes: the fields of the current request, and those given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        trace = tracing.current()
        known = (about.get() or dict)()
        extra = {name: value for name, value in record.__dict__.items() if name in FIELDS and name not in _OF_RECORD}
        line: dict[str, Any] = {"level": record.levelname, "message": safe(record.getMessage()), **place()}
        if trace is not None:
            line["trace_id"] = trace.id
        line |= known | {name: safe(value) if isinstance(value, str) else value for name, value in extra.items()}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = failure(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


# The fields of every log record, which `extra` can't have.
_OF_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "level"}


class _Sink(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sink(f"{self.format(record)}\n")


def configure() -> None:
    """Send the service's logs to `sink`. Calling this again changes nothing."""
    if not logger.handlers:
        handler = _Sink()
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
