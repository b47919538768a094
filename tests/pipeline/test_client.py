"""A pipeline's client retries while the registry is unavailable. It sends its token only to the registry."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.pipeline.stub import GRANTED, Stub
from tools.checkout import ToolError, UsageError
from tools.slipway_client import runner
from tools.slipway_client.client import Refused, RegistryClient, Unreachable, token
from tools.slipway_client.words import denial


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def registry(stub: Stub, pauses: list[float]) -> RegistryClient:
    return RegistryClient({"SLIPWAY_URL": stub.url, "SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": "t"}, pauses.append)


@pytest.mark.parametrize(
    "fault",
    [
        "reset",
        (500, {}),
        (502, b"<html>Bad gateway"),
        (503, {}),
        (429, {}),
        (200, b"<html>Sign in"),
        (200, b'{"cut": "o', {"Content-Length": "100"}),
        (200, b""),
        (503, b"cut off", {"Transfer-Encoding": "chunked"}),
        (200, []),
    ],
    ids=str,
)
def test_a_temporary_failure_is_retried(registry: RegistryClient, stub: Stub, pauses: list[float], fault: Any) -> None:
    stub.answers = [fault, fault, (200, GRANTED)]

    assert registry.post("promotions", {}) == GRANTED

    assert pauses == [1, 2]


def test_a_retry_has_the_same_idempotency_key(registry: RegistryClient, stub: Stub) -> None:
    stub.answers = [(503, {}), (200, GRANTED)]

    registry.post("promotions", {})

    first, second = (headers["Idempotency-Key"] for _, headers in stub.asked)
    assert first == second


def test_the_client_waits_as_long_as_it_is_asked_to(registry: RegistryClient, stub: Stub, pauses: list[float]) -> None:
    stub.answers = [(503, {}, {"Retry-After": "7"}), (503, {}, {"Retry-After": "86400"}), (200, GRANTED)]

    registry.post("promotions", {})

    assert pauses == [7, 30]


def test_the_client_gives_up_after_a_while(registry: RegistryClient, stub: Stub, pauses: list[float]) -> None:
    stub.answers = [(503, {})]

    with pytest.raises(Unreachable, match="status 503"):
        registry.get("state")

    # A paused database needs about 15 seconds to resume.
    assert sum(pauses) > 15
    assert len(stub.asked) == len(pauses) + 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_final(registry: RegistryClient, stub: Stub, pauses: list[float], status: int) -> None:
    stub.answers = [(status, {"type": "/problems/no", "detail": "for a reason"})]

    with pytest.raises(Refused, match="for a reason") as refusal:
        registry.post("promotions", {})

    assert (refusal.value.status, refusal.value.slug, pauses) == (status, "no", [])


def test_a_refusal_that_is_no_problem_is_shown(registry: RegistryClient, stub: Stub) -> None:
    stub.answers = [(403, b"Blocked by the firewall")]

    with pytest.raises(Refused, match="Blocked by the firewall"):
        registry.get("state")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_is_sent_to_no_other_server(
    registry: RegistryClient, stub: Stub, start: Callable[[], Stub], status: int
) -> None:
    other = start()
    stub.answers = [(status, {}, {"Location": other.url})]

    with pytest.raises(Refused):
        registry.get("state")

    assert other.asked == []


@pytest.mark.parametrize(
    "url", ["http://service.example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "service.example.org"]
)
def test_a_token_is_never_sent_unencrypted(url: str) -> None:
    with pytest.raises(ToolError, match="https://"):
        RegistryClient({"SLIPWAY_URL": url, "SLIPWAY_SYSTEM": "azul"})


def test_a_system_cannot_change_the_path(stub: Stub) -> None:
    RegistryClient({"SLIPWAY_URL": stub.url, "SLIPWAY_SYSTEM": "../../other?x", "SLIPWAY_TOKEN": "t"}).get("state")

    assert stub.asked[0][0] == "/v1/systems/..%2F..%2Fother%3Fx/state"


def test_the_runners_own_token_is_sent_to_github_only(stub: Stub, start: Callable[[], Stub]) -> None:
    github = start()
    github.answers = [(200, {"value": "issued"})]
    environ = {
        "SLIPWAY_URL": stub.url,
        "SLIPWAY_SYSTEM": "azul",
        "SLIPWAY_AUDIENCE": "service production",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-token",
    }

    RegistryClient(environ).get("state")

    [(path, asked_github)] = github.asked
    [(_, asked_registry)] = stub.asked
    assert parse_qs(urlsplit(path).query) == {"api-version": ["2.0"], "audience": ["service production"]}
    assert asked_github["Authorization"] == "Bearer runner-token"
    assert asked_registry["Authorization"] == "Bearer issued"


def test_a_token_with_a_line_break_is_sent_without_it(stub: Stub) -> None:
    RegistryClient({"SLIPWAY_URL": stub.url, "SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": "t\n"}).post("promotions", {})

    [(_, headers)] = stub.asked
    assert headers["Authorization"] == "Bearer t"


def test_a_token_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(UsageError) as error:
        token({"SLIPWAY_TOKEN": "secret\nsecret"})

    assert "secret" not in str(error.value)


def test_a_missing_permission_of_the_job_is_named(stub: Stub) -> None:
    with pytest.raises(ToolError, match="id-token: write"):
        token({})


def test_a_refusal_by_github_names_github(stub: Stub) -> None:
    stub.answers = [(403, {})]

    with pytest.raises(ToolError, match="GitHub issued no token"):
        token({"ACTIONS_ID_TOKEN_REQUEST_URL": f"{stub.url}/?a=b"})


KEYED = {"SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": "t", "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1"}


@pytest.mark.parametrize(
    ("path", "body", "changes", "same"),
    [
        ("verifications", {"suite": "acceptance"}, {}, True),
        ("verifications", {"suite": "load"}, {}, False),
        ("deployments", {"suite": "acceptance"}, {}, False),
        ("verifications", {"suite": "acceptance"}, {"GITHUB_RUN_ID": "2"}, False),
        ("verifications", {"suite": "acceptance"}, {"GITHUB_RUN_ATTEMPT": "2"}, False),
    ],
)
def test_the_same_write_in_the_same_attempt_is_recorded_once(
    stub: Stub, path: str, body: dict[str, Any], changes: dict[str, str], *, same: bool
) -> None:
    RegistryClient({**KEYED, "SLIPWAY_URL": stub.url}).post("verifications", {"suite": "acceptance"})
    RegistryClient({**KEYED, "SLIPWAY_URL": stub.url, **changes}).post(path, body)

    first, second = (headers["Idempotency-Key"] for _, headers in stub.asked)
    assert (first == second) is same


@pytest.mark.parametrize(("required", "code"), [("1", 1), ("", 1), ("0", 0)])
def test_callers_that_tolerate_an_outage_continue(a_step: Any, stub: Stub, required: str, code: int) -> None:
    stub.answers = [(503, {})]
    step = a_step(SLIPWAY_URL=stub.url, SLIPWAY_TOKEN="t", SLIPWAY_REQUIRED=required)

    assert step("verification", DEPLOYMENT="1", OUTCOME="success") == code

    assert ("::error::" if code else "::warning::") in step.said


def test_a_gate_without_an_answer_never_grants(a_step: Any, stub: Stub) -> None:
    stub.answers = [(503, {})]

    assert a_step(SLIPWAY_URL=stub.url, SLIPWAY_TOKEN="t", SLIPWAY_REQUIRED="0")("may-promote") == 1


def test_a_blocker_is_always_one_line() -> None:
    blocker = {"code": "soaking", "environment": "production", "detail": "no\n- not-verified\r\nmore"}

    assert len(denial("tree:1", "production", {"blockers": [blocker]}).splitlines()) == 2


def test_a_denial_says_what_starts_anew() -> None:
    required = {"suites": ["acceptance", "load"], "soak_seconds": 60, "approvals": 1}

    last = denial("tree:1", "production", {"blockers": [], "still_required": required}).splitlines()[-1]

    assert "acceptance, load" in last
    assert "60 s of soak" in last
    assert "missing: 1" in last


def test_an_answer_cannot_set_other_outputs_or_start_workflow_commands(a_step: Any, stub: Stub) -> None:
    blocker = {"code": "soaking", "environment": "production", "detail": "no\n::set-env name=PATH::/evil\nmore"}
    stub.answers = [(409, {"type": "/problems/promotion-denied", "blockers": [blocker]})]
    step = a_step(SLIPWAY_URL=stub.url, SLIPWAY_TOKEN="t")
    step("may-promote")
    assert not [line for line in step.said.splitlines() if line.startswith("::set-env")]

    opened = {"id": "1\nprevious-artifact=evil", "state": "in_progress"}
    stub.answers = [(200, {"targets": []}), (201, opened), (200, opened)]
    step("deployment-open")
    assert step.outputs == {
        "deployment": "1 previous-artifact=evil",
        "previous-artifact": "",
        "previous-revision": "",
    }
    assert step.output_lines == 3


@pytest.mark.parametrize(
    "text",
    ["::set-output name=revision::x", "fine\n ::add-mask::x", "fine ##[set-output name=revision;]x", "a\r::error::x"],
)
def test_github_runs_no_command_of_an_answer(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    runner.say(text)

    said = capsys.readouterr().out
    assert "##[" not in said
    assert not any(line.lstrip().startswith("::") for line in said.splitlines())


@pytest.mark.parametrize("command", [runner.say, lambda text: runner.warn({"GITHUB_ACTIONS": "true"}, text)])
def test_a_text_that_cannot_be_printed_stops_nothing(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    command("half of a pair: \ud800")

    assert "half of a pair: ?" in capsys.readouterr().out
