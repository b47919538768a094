"""Log lines in a form that people can read: those of AWS and those of the local server alike."""

import json
from datetime import UTC, datetime
from typing import Any

LEVELS = ("INFO", "WARNING", "ERROR")

# Lambda writes these texts when a function ends without logging anything itself.
_FAILURES_OF_LAMBDA = ("Task timed out", "[ERROR]", "Runtime exited", "Runtime.")
# API Gateway's access log has no level. Slower answers than this are warnings, as in `rest.observing`.
_SLOW_MILLISECONDS = 1000
# Fields that begin a line, and fields that only CloudWatch needs.
_NOT_SHOWN = ("_aws", "requests", "server_errors", "environment", "workspace")


def readable(name: str, at: int, message: str) -> str:
    """Return a log line of a function, the gateway or Lambda in a form that people can read.

    Requests, and the code of previews, choose parts of the text.
    """
    return harmless(_readable(name, at, message), besides="\n\t")


def harmless(text: str, *, besides: str = "") -> str:
    """Escape unprintable characters, because they could control the terminal. Keep the characters in `besides`."""
    return "".join(char if char.isprintable() or char in besides else repr(char)[1:-1] for char in text)


def level_of(message: str) -> str:
    """Return the level of a line. A line without one gets the level that its content deserves."""
    said = _parsed(message)
    if said is None:
        return "ERROR" if any(each in message for each in _FAILURES_OF_LAMBDA) else "INFO"
    if "level" in said:
        return str(said["level"])
    if str(said.get("status", "")).startswith("5"):
        return "ERROR"
    latency = str(said.get("responseLatency", ""))
    return "WARNING" if latency.isdecimal() and int(latency) >= _SLOW_MILLISECONDS else "INFO"


def is_chosen(message: str, request_id: str | None, level: str | None) -> bool:
    """True if a line is of this request, and has at least this level."""
    if request_id is not None and request_id not in message:
        return False
    if level is None:
        return True
    own = level_of(message)
    return own not in LEVELS or LEVELS.index(own) >= LEVELS.index(level)


def _readable(name: str, at: int, message: str) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    said = _parsed(message)
    if said is None:
        return f"{moment} {name:<10} {message.rstrip()}"
    level, text, exception = said.pop("level", ""), said.pop("message", ""), said.pop("exception", "")
    rest = " ".join(
        f"{key}={value}" for key, value in said.items() if key not in _NOT_SHOWN and value not in (None, "", "-", 0)
    )
    line = " ".join(part for part in (f"{moment} {name:<10}", level, text, rest) if part)
    return f"{line}\n{exception.rstrip()}" if exception else line


def _parsed(message: str) -> dict[str, Any] | None:
    try:
        said = json.loads(message)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
