"""Read and follow the lines of all log groups of a target, in order of time."""

import json
import time
from itertools import islice
from types import SimpleNamespace

import pytest

from chalicelib import NAME
from tools.aws import environment, logs
from tools.aws.target import Target
from tools.local import log_lines

ERROR = {"level": "ERROR", "message": "no answer", "request_id": "r-1", "exception": "Traceback\n  boom"}


@pytest.fixture
def group(client):
    """`group(name, *messages)` makes a log group with these lines; it returns the first line's Unix milliseconds."""
    made = []
    now = int(time.time() * 1000)

    def make(name, *messages, at=now):
        cloudwatch = client("logs")
        cloudwatch.create_log_group(logGroupName=name)
        cloudwatch.create_log_stream(logGroupName=name, logStreamName="s")
        events = [{"timestamp": at + 10 * number, "message": message} for number, message in enumerate(messages)]
        cloudwatch.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        made.append(name)
        return at

    yield make
    for name in made:
        client("logs").delete_log_group(logGroupName=name)


def shown(client, groups, since, request_id=None):
    return [line for _, _, line in logs.lines(client("logs"), groups, since, request_id)]


def test_lines_of_all_groups_come_in_time_order(client, group):
    at = group("/aws/lambda/a-api", "first", "third")
    group("/aws/lambda/a-sweep", "second", at=at + 5)
    group("/aws/lambda/other-api", "somebody else's")

    found = shown(client, {"api": "/aws/lambda/a-api", "sweep": "/aws/lambda/a-sweep"}, at - 1)

    assert [line.split()[-1] for line in found] == ["first", "second", "third"]


def test_the_lines_of_one_request_can_be_selected(client, group):
    at = group("/aws/lambda/a-api", json.dumps(ERROR), json.dumps({**ERROR, "request_id": "r-2"}))

    found = shown(client, {"api": "/aws/lambda/a-api"}, at - 1, "r-2")

    assert len(found) == 1
    assert "r-2" in found[0]


def test_older_lines_are_left_out(client, group):
    at = group("/aws/lambda/a-api", "old")

    assert shown(client, {"api": "/aws/lambda/a-api"}, at + 1) == []


def test_a_group_that_does_not_exist_yet_has_no_lines(client):
    assert shown(client, {"api": "/aws/lambda/nothing"}, 0) == []


def test_a_line_is_readable_and_keeps_its_exception():
    assert log_lines.readable("api", 0, json.dumps(ERROR)) == (
        "00:00:00.000 api        ERROR no answer request_id=r-1\nTraceback\n  boom"
    )


@pytest.mark.parametrize("message", ["REPORT RequestId: 1\n", "[1]", "{"])
def test_a_line_in_another_format_is_shown_unchanged(message):
    assert log_lines.readable("api", 0, message) == f"00:00:00.000 api        {message.rstrip()}"


def test_a_line_cannot_control_the_terminal():
    said = log_lines.readable("api", 0, json.dumps({"message": "\x1b[2Jgone"}))

    assert said == "00:00:00.000 api        \\x1b[2Jgone"


def test_following_shows_each_line_once():
    read = iter([[(20_000, "a", "one")], [(20_000, "a", "one"), (21_000, "b", "two")], []])

    told = logs.follow(lambda since: iter(next(read)), 0)

    assert list(islice(told, 5)) == ["one", "", "two", "", ""]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "nothing in the time of SINCE=1h: set a longer time\n"),
        ({"SINCE": "10m"}, "nothing in the time of SINCE=10m: set a longer time\n"),
        ({"SINCE": "30d", "REQUEST_ID": "r-1"}, "nothing for REQUEST_ID=r-1 in the time of SINCE=30d: set a longer"),
    ],
)
def test_nothing_in_the_logs_is_said_with_the_time_that_was_given(monkeypatch, capsys, variables, said):
    monkeypatch.setattr(environment, "target_of", lambda _: Target("development"))
    main = {"api": {"function_names": {}}, "name": f"{NAME}-development", "region": "eu-central-1"}
    monkeypatch.setattr(environment, "outputs", lambda _: main)
    monkeypatch.setattr(Target, "client", lambda *_: SimpleNamespace())
    monkeypatch.setattr(logs, "lines", lambda *_: iter([]))

    logs.main({"ENV": "development", **variables})

    assert f"development logged {said}" in capsys.readouterr().out
