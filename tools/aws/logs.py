"""`make logs ENV=… [WORKSPACE=…]`: print the log lines of a target's functions and gateway, oldest first.

`ENV=local` prints those of this checkout's `make run`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tools.aws import environment
from tools.aws.workspace import ahead
from tools.checkout import ToolError, UsageError
from tools.local import log
from tools.local.log_lines import is_chosen, readable

# CloudWatch shows lines with seconds of delay, and not always in order.
_PAUSE_SECONDS = 2
_OVERLAP_MS = 10_000

# The short name of the log group of API Gateway's access log.
ACCESS = "access"

# CloudWatch looks for these patterns, and this machine then looks closer: an error of the service or Lambda, and in the
# access log a status. "Filter pattern syntax" in the CloudWatch Logs User Guide has the syntax.
_ERRORS = '?ERROR ?"Task timed out" ?"Runtime exited" ?"Runtime."'
_ERRORS_OF_ACCESS = '{ $.status = "5*" }'

Line = tuple[int, str, str]


def lines(
    client: Any, groups: Mapping[str, str], since: int, request_id: str | None = None, level: str | None = None
) -> Iterator[Line]:
    """Yield each line's time in Unix milliseconds, its event's id and its readable text, oldest first.

    `groups` maps short names to log groups. A group that does not exist yet has no lines.
    """
    found: list[Line] = []
    for name, group in groups.items():
        errors = _ERRORS_OF_ACCESS if name == ACCESS else _ERRORS
        pattern = f'"{request_id}"' if request_id else errors if level == "ERROR" else ""
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since, **({"filterPattern": pattern} if pattern else {})
        )
        try:
            for page in pages:
                found += [
                    (event["timestamp"], event["eventId"], readable(name, event["timestamp"], event["message"]))
                    for event in page["events"]
                    if is_chosen(event["message"], request_id, level)
                ]
        except client.exceptions.ResourceNotFoundException:
            continue
    yield from sorted(found)


def local_lines(since: int, request_id: str | None = None, level: str | None = None) -> Iterator[Line]:
    """Yield the lines of `make run` in this checkout, as `lines` does."""
    for line in log.kept(since):
        if is_chosen(line.message, request_id, level):
            yield line.at, line.id, readable(line.part, line.at, line.message)


def follow(read: Callable[[int], Iterator[tuple[int, str, str]]], since: int) -> Iterator[str]:
    """Yield each line since `since` once, then new lines as they come. At each empty line, the caller must wait."""
    seen: dict[str, int] = {}
    while True:
        for at, event, line in read(since):
            if event not in seen:
                seen[event] = at
                yield line
        since = max([since, *(at - _OVERLAP_MS for at in seen.values())])
        seen = {event: at for event, at in seen.items() if at >= since}
        yield ""


def main(environ: Mapping[str, str]) -> None:
    """Print the lines that SINCE, REQUEST_ID and LEVEL choose.

    Each answer has its request's id in the header X-Request-Id.
    """
    name, read_since = _of_make_run(environ) if environ["ENV"] == "local" else _of_target(environ)
    now = datetime.now(UTC)
    asked = environ.get("SINCE") or "1h"
    since = int((now - (ahead({"SINCE": asked}, "SINCE") - now)).timestamp() * 1000)
    request_id, level = environ.get("REQUEST_ID") or None, environ.get("LEVEL") or None

    def read(start: int) -> Iterator[Line]:
        return read_since(start, request_id, level)

    if environ.get("FOLLOW") != "1":
        shown = [line for _, _, line in read(since)]
        which = "".join(f"for {key}={value} " for key in ("REQUEST_ID", "LEVEL") if (value := environ.get(key)))
        nothing = f"{name} logged nothing {which}in the time of SINCE={asked}: set a longer time"
        print("\n".join(shown or [f"{nothing}, or check REQUEST_ID" if request_id else nothing]))
        return
    for line in follow(read, since):
        if line:
            print(line, flush=True)
        else:
            time.sleep(_PAUSE_SECONDS)


def _of_target(environ: Mapping[str, str]) -> tuple[str, Callable[..., Iterator[Line]]]:
    """Return the name of a target on AWS, and the function that reads its lines."""
    target = replace(environment.target_of(environ), choices={})
    outputs = environment.outputs(target)
    if not outputs:
        raise ToolError(f"{target.name} does not exist: check ENV and WORKSPACE, or create it with make apply")
    groups = {role: f"/aws/lambda/{name}" for role, name in outputs["api"]["function_names"].items()}
    groups[ACCESS] = f"/aws/apigateway/{outputs['name']}"
    return target.name, partial(lines, target.client("logs", outputs["region"]), groups)


def _of_make_run(environ: Mapping[str, str]) -> tuple[str, Callable[..., Iterator[Line]]]:
    if environ.get("WORKSPACE", "default") != "default":
        raise UsageError("The local service has no workspaces: leave out WORKSPACE, or name another ENV")
    return "local", local_lines
