"""`make logs ENV=… [WORKSPACE=…]`: print the log lines of a target's functions and gateway, oldest first."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tools.aws import environment
from tools.aws.terminal import harmless
from tools.aws.workspace import ahead
from tools.checkout import ToolError

# CloudWatch shows lines with seconds of delay, and not always in order.
_PAUSE_SECONDS = 2
_OVERLAP_MS = 10_000


def lines(
    client: Any, groups: Mapping[str, str], since: int, request_id: str | None = None
) -> Iterator[tuple[int, str, str]]:
    """Yield each line's time in Unix milliseconds, its event's id and its readable text, oldest first.

    `groups` maps short names to log groups. A group that does not exist yet has no lines.
    """
    found: list[tuple[int, str, str]] = []
    for name, group in groups.items():
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since, **({"filterPattern": f'"{request_id}"'} if request_id else {})
        )
        try:
            for page in pages:
                found += [
                    (event["timestamp"], event["eventId"], readable(name, event["timestamp"], event["message"]))
                    for event in page["events"]
                    if request_id is None or request_id in event["message"]
                ]
        except client.exceptions.ResourceNotFoundException:
            continue
    yield from sorted(found)


def readable(name: str, at: int, message: str) -> str:
    """Return a log line of a function, the gateway or Lambda in a form that people can read.

    Requests, and the code of previews, choose parts of the text.
    """
    return harmless(_readable(name, at, message), besides="\n\t")


def _readable(name: str, at: int, message: str) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    try:
        said = json.loads(message)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return f"{moment} {name:<10} {message.rstrip()}"
    level, text, exception = said.pop("level", ""), said.pop("message", ""), said.pop("exception", "")
    rest = " ".join(f"{key}={value}" for key, value in said.items() if value not in (None, "", "-"))
    line = " ".join(part for part in (f"{moment} {name:<10}", level, text, rest) if part)
    return f"{line}\n{exception.rstrip()}" if exception else line


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
    """Print the lines that SINCE and REQUEST_ID choose. Each answer has its request's id in the header X-Request-Id."""
    target = replace(environment.target_of(environ), choices={})
    outputs = environment.outputs(target)
    if not outputs:
        raise ToolError(f"{target.name} does not exist: check ENV and WORKSPACE, or create it with make apply")
    groups = {role: f"/aws/lambda/{name}" for role, name in outputs["api"]["function_names"].items()}
    groups["access"] = f"/aws/apigateway/{outputs['name']}"
    client = target.client("logs", outputs["region"])
    now = datetime.now(UTC)
    asked = environ.get("SINCE") or "1h"
    since = int((now - (ahead({"SINCE": asked}, "SINCE") - now)).timestamp() * 1000)
    request_id = environ.get("REQUEST_ID") or None

    def read(start: int) -> Iterator[tuple[int, str, str]]:
        return lines(client, groups, start, request_id)

    if environ.get("FOLLOW") != "1":
        shown = [line for _, _, line in read(since)]
        which = f"for REQUEST_ID={request_id} " if request_id else ""
        nothing = f"{target.name} logged nothing {which}in the time of SINCE={asked}: set a longer time"
        print("\n".join(shown or [f"{nothing}, or check REQUEST_ID" if request_id else nothing]))
        return
    for line in follow(read, since):
        if line:
            print(line, flush=True)
        else:
            time.sleep(_PAUSE_SECONDS)
