"""`make run` keeps its log for `make logs ENV=local`, which has the options that it has on AWS."""

import json
from pathlib import Path

import pytest

from tools.aws import logs
from tools.checkout import UsageError
from tools.local import log
from tools.local.log_lines import level_of, readable

BROKEN = {"level": "ERROR", "message": "request", "request_id": "r-2", "exception": "Traceback\n  boom"}
ACCESS = {"requestId": "r-1", "method": "GET", "path": "/v1/health", "status": "200", "responseLatency": "3"}


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The log of a run with a request that succeeded, and one that failed."""
    file = tmp_path / "log.ndjson"
    monkeypatch.setattr(log, "FILE", file)
    kept = log.Log(file)
    kept.service(json.dumps({"level": "INFO", "message": "request", "request_id": "r-1", "statements": 0}))
    kept.access(ACCESS)
    kept.service(json.dumps(BROKEN))
    return file


def printed(capsys: pytest.CaptureFixture[str], **variables: str) -> list[str]:
    capsys.readouterr()
    logs.main({"ENV": "local", **variables})
    return capsys.readouterr().out.splitlines()


def test_each_line_on_the_terminal_names_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    access, broken, *traceback = capsys.readouterr().err.splitlines()

    assert access == "GET /v1/health 200 3 ms r-1"
    assert broken.endswith("api        ERROR request request_id=r-2")
    assert traceback == ["Traceback", "  boom"]


def test_all_lines_are_printed_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[1] for line in printed(capsys) if "r-" in line] == ["api", "access", "api"]


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"REQUEST_ID": "r-1"}, ["INFO", "requestId=r-1"]),
        ({"REQUEST_ID": "r-2"}, ["ERROR"]),
        ({"LEVEL": "ERROR"}, ["ERROR"]),
        ({"LEVEL": "INFO", "SINCE": "2h"}, ["INFO", "requestId=r-1", "ERROR"]),
    ],
)
def test_the_options_choose_lines(
    capsys: pytest.CaptureFixture[str], variables: dict[str, str], found: list[str]
) -> None:
    assert [line.split()[2] for line in printed(capsys, **variables) if "r-" in line] == found


def test_older_lines_are_left_out(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(f"{json.dumps([id_, at - 7_200_000, *rest])}\n" for id_, at, *rest in lines))

    assert printed(capsys) == ["local logged nothing in the time of SINCE=1h: set a longer time"]


def test_following_prints_new_lines_once(file: Path) -> None:
    followed = logs.follow(logs.local_lines, 0)
    first = [next(followed) for _ in range(4)]

    log.Log(file).access(ACCESS | {"requestId": "r-3"})

    assert ["r-1" in first[0], "r-2" in first[2], first[3]] == [True, True, ""]
    assert "r-3" in next(followed)
    assert next(followed) == ""


def test_the_file_is_bounded_and_the_lines_before_are_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 0)

    log.Log(file).access(ACCESS | {"requestId": "r-3"})

    assert len(file.read_text().splitlines()) == 1
    assert [line.part for line in log.kept(0, file)] == ["api", "access", "api", "access"]


def test_the_local_service_has_no_workspaces() -> None:
    with pytest.raises(UsageError, match="leave out WORKSPACE"):
        logs.main({"ENV": "local", "WORKSPACE": "fix-42"})


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ({"status": "503", "responseLatency": "9"}, "ERROR"),
        ({"status": "200", "responseLatency": "1000"}, "WARNING"),
        ({"status": "404", "responseLatency": "-"}, "INFO"),
        ("2026-11-26T12:00:00Z 5f Task timed out after 20.00 seconds", "ERROR"),
        ("REPORT RequestId: 5f Duration: 3 ms", "INFO"),
    ],
)
def test_lines_without_a_level_get_one(message: object, level: str) -> None:
    assert level_of(message if isinstance(message, str) else json.dumps(message)) == level


def test_what_is_zero_or_only_for_cloudwatch_is_left_out() -> None:
    line = {"level": "INFO", "message": "request", "requests": 1, "server_errors": 0, "statements": 0, "_aws": {"a": 1}}

    assert (
        readable("api", 0, json.dumps({**line, "latency": 1.5})) == "00:00:00.000 api        INFO request latency=1.5"
    )
