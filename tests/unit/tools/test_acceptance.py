"""`make acceptance` checks its settings, waits for the service, and writes a report."""

import json
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest

from tools.checkout import ToolError
from tools.local.acceptance import report, settings, system
from tools.local.acceptance.report import Finding, Run
from tools.local.acceptance.run import main
from tools.local.acceptance.service import Answer, Latencies, NotReady, Service, Wait, operation_of
from tools.local.acceptance.settings import AcceptanceSettings
from tools.local.load import run as load

URL = "https://service.example.org/production"


def variables(**changed: str) -> dict[str, str]:
    return {"URL": URL, "TOKEN": "a.b.c", **changed}


def test_a_run_writes_by_default() -> None:
    found = settings.from_environ(variables())

    assert (found.url, found.system, found.read_only, found.site) == (URL, "acceptance", False, False)
    assert found.mint is None
    assert settings.from_environ(variables(READ_ONLY="1")).read_only
    assert settings.from_environ(variables(SITE="1")).site
    assert not settings.from_environ(variables(READ_ONLY="0", SITE="")).read_only


def test_a_final_slash_of_the_url_is_ignored() -> None:
    assert settings.from_environ(variables(URL=f"{URL}/")).url == URL


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_the_local_service_gets_a_new_token(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr("tools.local.issuer.token", lambda role: f"token of {role}")

    found = settings.from_environ({"URL": url})

    assert found.token == "token of admin"
    assert found.mint is not None


@pytest.mark.parametrize(
    ("changed", "explained"),
    [
        ({"URL": ""}, "make acceptance URL="),
        ({"URL": "service.example.org"}, "http(s)://"),
        ({"URL": "ftp://service.example.org"}, "http(s)://"),
        ({"URL": "https://"}, "http(s)://"),
        ({"URL": "https://host:port"}, "http(s)://"),
        ({"URL": "https://me@service.example.org"}, "http(s)://"),
        ({"URL": "https://service.example.org?a=b"}, "http(s)://"),
        ({"URL": "http://service.example.org"}, "https://"),
        ({"URL": f"{URL}/v1/"}, f"set URL={URL}"),
        ({"TOKEN": " "}, "TOKEN="),
        ({"SYSTEM": "shop"}, "'acceptance-'"),
        ({"SYSTEM": "acceptances"}, "'acceptance-'"),
        ({"READ_ONLY": "yes"}, "READ_ONLY=1"),
        ({"SITE": "true"}, "SITE=1"),
        ({"DIGEST": "5b678574"}, "make package"),
    ],
)
def test_wrong_settings_are_explained(changed: dict[str, str], explained: str) -> None:
    with pytest.raises(ToolError, match=explained.translate({ord(each): f"\\{each}" for each in "().?"})):
        settings.from_environ(variables(**changed))


def test_settings_do_not_show_the_token() -> None:
    assert "a.b.c" not in repr(settings.from_environ(variables()))


def test_the_claims_are_those_of_the_token_or_empty() -> None:
    token = jwt.encode({"sha": "a" * 40}, "k" * 32)

    assert AcceptanceSettings(URL, token).claims == {"sha": "a" * 40}
    for opaque in ("opaque", "a.b.c", "a..c", ".WzFd."):
        assert AcceptanceSettings(URL, opaque).claims == {}


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/systems", "list_systems"),
        ("GET", "/v1/systems?limit=1", "list_systems"),
        ("GET", "/v1/systems/shop", "get_system"),
        ("POST", "/v1/systems/shop/environments", "create_environment"),
        ("GET", "/v1/nothing", None),
        ("PUT", "/v1/systems", None),
        ("GET", "/", None),
    ],
)
def test_an_answer_is_counted_for_its_operation(method: str, path: str, operation: str | None) -> None:
    assert operation_of(method, path) == operation


def test_latencies_are_reported_as_quantiles() -> None:
    latencies = Latencies()
    for milliseconds in range(100, 0, -1):
        latencies.add("GET", "/v1/health", milliseconds / 1000)
    latencies.add("GET", "/v1/ready", 0.007)
    latencies.add("GET", "/v1/nothing", 9.0)

    assert latencies.table() == [("get_health", 100, 50.0, 95.0), ("get_readiness", 1, 7.0, 7.0)]


READY = (200, b'{"status": "ready", "schema_version": 8}')


def test_a_run_does_not_wait_for_a_ready_service(
    answering: Callable[..., Service], wait: Wait, said: list[str]
) -> None:
    answering(READY).wait_until_ready(wait)

    assert said == []


def test_a_run_waits_for_a_service_that_starts_and_says_so_once(
    answering: Callable[..., Service], wait: Wait, said: list[str]
) -> None:
    answering((503, b""), (504, b""), (403, b"{}"), READY).wait_until_ready(wait)

    assert len(said) == 1
    assert "503" in said[0]


@pytest.mark.parametrize("body", [b"<!doctype html>", b"[]", b"{}", b'{"status": "asleep"}', b""])
def test_a_service_with_any_other_answer_is_not_ready(
    answering: Callable[..., Service], wait: Wait, body: bytes
) -> None:
    with pytest.raises(NotReady, match=f"{URL}/v1/ready is not ready after 10 s"):
        answering((200, body)).wait_until_ready(wait)


@pytest.mark.parametrize(
    ("granted", "role", "key", "allowed"),
    [
        ([], "viewer", None, False),
        ([{"role": "admin", "systems": None}], "admin", None, True),
        ([{"role": "admin", "systems": None}], "pipeline", "shop", True),
        ([{"role": "viewer", "systems": None}], "pipeline", "shop", False),
        ([{"role": "pipeline", "systems": ["shop"]}], "pipeline", "shop", True),
        ([{"role": "pipeline", "systems": ["shop"]}], "maintainer", "shop", False),
        ([{"role": "maintainer", "systems": ["shop"]}], "pipeline", "azul", False),
    ],
)
def test_a_tokens_rights_come_from_its_roles(
    granted: list[dict[str, object]], role: str, key: str | None, allowed: bool
) -> None:
    assert system.may(granted, role, key) is allowed


def test_an_unexpected_answer_is_described() -> None:
    answer = Answer("GET", "/v1/me", 401, {"Content-Type": "application/problem+json"}, b'{"type": "/problems/x"}')

    assert answer.expect(200, 401) is answer
    with pytest.raises(AssertionError, match=r"GET /v1/me answered 401 x: None, not 200 or 201"):
        answer.expect(200, 201)


def test_a_test_is_reported_by_its_name() -> None:
    assert report.sentence("tests/acceptance/test_x.py::test_a_b") == "a b"
    assert report.sentence("tests/acceptance/test_x.py::test_a_b[c_d-/e]") == "a b [c_d-/e]"


@pytest.mark.parametrize(
    ("passed", "code", "outcome"),
    [
        (1, pytest.ExitCode.OK, "success"),
        (0, pytest.ExitCode.OK, "error"),
        (1, pytest.ExitCode.TESTS_FAILED, "failure"),
        (1, pytest.ExitCode.INTERRUPTED, "cancelled"),
        (1, pytest.ExitCode.INTERNAL_ERROR, "error"),
        (0, pytest.ExitCode.NO_TESTS_COLLECTED, "error"),
    ],
)
def test_only_a_run_with_passed_tests_and_no_failure_is_a_success(
    passed: int, code: pytest.ExitCode, outcome: str
) -> None:
    run = Run(AcceptanceSettings(URL, "a.b.c"))
    run.passed = passed

    assert run.outcome_of(code) == outcome


def test_a_run_that_a_fixture_stops_is_an_error_with_its_reason(
    answering: Callable[..., Service],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(READY, (200, b'{"roles": [{"role": "viewer", "systems": null}]}'))

    def stopped(arguments: list[str], plugins: list[Run]) -> pytest.ExitCode:
        with pytest.raises(pytest.exit.Exception) as end:
            plugins[0].stop("The system is busy: wait")
        return pytest.ExitCode(end.value.returncode or 0)

    monkeypatch.setattr(pytest, "main", stopped)

    output = tmp_path / "output"
    code = main(variables(READ_ONLY="1", REPORT=str(tmp_path / "report.json"), GITHUB_OUTPUT=str(output)))

    assert code == 2
    assert output.read_text() == "outcome=error\n"  # the deployment is rolled back only after a failure
    assert json.loads((tmp_path / "report.json").read_text())["error"] == "The system is busy: wait"
    assert "The system is busy: wait" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_does_not_hide_the_outcome(
    monkeypatch: pytest.MonkeyPatch, answering: Callable[..., Service], tmp_path: Path
) -> None:
    answering(READY, (200, b'{"roles": [{"role": "viewer", "systems": null}]}'))
    monkeypatch.setattr(pytest, "main", lambda *_, **__: pytest.ExitCode.TESTS_FAILED)
    output = tmp_path / "output"

    with pytest.raises(ToolError, match="REPORT="):
        main(variables(READ_ONLY="1", REPORT=str(tmp_path), GITHUB_OUTPUT=str(output)))

    assert output.read_text() == "outcome=failure\n"


@pytest.mark.parametrize("command", [main, load.main])
def test_the_report_of_an_earlier_run_is_deleted_first(command: Callable[..., int], tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"outcome": "success", "passed": 3}')

    with pytest.raises(ToolError):
        command(variables(URL="", SECONDS="", PROFILE="load", REPORT=str(path)))

    assert not path.exists()


def test_a_report_counts_its_findings_and_has_no_token(tmp_path: Path) -> None:
    run = Run(AcceptanceSettings(URL, "a.b.c"))
    run.passed = 3
    run.failures.append(Finding("the gate", "is open"))
    run.left_out.append(Finding("the CDN", "there is none"))

    document = run.document("failure")

    assert (document["passed"], document["failed"], document["skipped"]) == (3, 1, 1)
    assert document["failures"] == [{"check": "the gate", "message": "is open"}]
    assert document["started_at"].endswith("Z")
    assert "a.b.c" not in str(document)
    assert "- the gate: is open" in list(run.summary())
    with pytest.raises(ToolError, match="REPORT="):
        report.write(tmp_path / "nowhere" / "report.json", document)
