"""Observe a request: one log line, which carries its metrics, and its statements in the trace."""

import re
import time

import chalice

from chalicelib.rest.call import Call
from chalicelib.telemetry import logs, metrics, tracing
from chalicelib.telemetry.tracing import Message

# A slower request is logged as a warning, with its slowest statement.
SLOW_MILLISECONDS = 1000
MOST_BAGGAGE = 500

_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_OF_ALL = (metrics.requests, metrics.server_errors, metrics.latency, metrics.statements_time)
_DIRECTIVE = metrics.directive(*_OF_ALL)

_ANNOTATIONS: tuple[str, ...] = ("request_id", "operation", "system")

_is_cold = True


def report(call: Call, response: chalice.app.Response) -> None:
    """Write the request's log line, and send its statements to X-Ray if the request is sampled."""
    global _is_cold  # noqa: PLW0603 (a process starts once)
    messages = call.db.messages
    milliseconds = (time.perf_counter() - call.started) * 1000
    status = response.status_code
    failed = status >= 500
    level = "ERROR" if failed else "WARNING" if milliseconds >= SLOW_MILLISECONDS else "INFO"
    fields = call.about()
    fields["class"] = "read" if call.request.method == "GET" else "write"
    fields["status"] = status
    fields["requests"] = 1
    fields["server_errors"] = int(failed)
    fields["latency"] = round(milliseconds, 3)
    fields["statements"] = len(messages)
    fields["statements_time"] = round(sum([each.seconds for each in messages]) * 1000, 3)
    fields |= call.noted
    if (trace := tracing.current()) is not None:
        fields["trace_id"] = trace.id
        if trace.parent is not None:
            annotations = {name: str(fields[name]) for name in _ANNOTATIONS if name in fields}
            tracing.send(trace, call.operation.name, call.started, annotations, messages, fault=failed)
    headers = call.request.headers
    if (traceparent := headers.get("traceparent")) and _TRACEPARENT.fullmatch(traceparent):
        fields["traceparent"] = traceparent
    if baggage := headers.get("baggage"):
        fields["baggage"] = logs.safe(baggage, MOST_BAGGAGE)
    if level != "INFO" and (told := _to_tell(messages, failed=failed)):
        fields["statement"] = told.text[: logs.MOST_CHARACTERS]

    samples = call.samples
    if call.db.failures:
        samples.append(metrics.Sample(metrics.database_failures, call.db.failures))
    if _is_cold:
        _is_cold = False
        samples.append(metrics.Sample(metrics.cold_starts))
    if samples:
        logs.write_with_samples(level, "request", fields, samples, _OF_ALL)
    else:
        logs.write(level, "request", fields, _DIRECTIVE)


def _to_tell(messages: list[Message], *, failed: bool) -> Message | None:
    """Return the last message that failed, or the slowest message of a request that was only slow."""
    if failed:
        return next((each for each in reversed(messages) if each.failed), None)
    return max(messages, key=lambda each: each.seconds, default=None)
