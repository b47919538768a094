"""`make demo` begins only if it can end: a system that somebody else made stops it before it records anything."""

import pytest

from tools.checkout import ToolError
from tools.local.registry.demo import fill


def test_a_system_without_description_stops_the_demo_before_it_records_anything() -> None:
    asked: list[str] = []

    def send(method: str, path: str, body: object) -> tuple[int, dict[str, str]]:
        asked.append(method)
        return (200, {"description": ""}) if path == "/v1/systems/blog" else (404, {})

    with pytest.raises(ToolError, match="The system blog exists without a description"):
        fill(send, send, ["accounts", "blog"])

    assert set(asked) == {"GET"}
