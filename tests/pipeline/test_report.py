"""Reports of test runs are read in each common encoding. An unreadable report is not taken for a missing one."""

from pathlib import Path
from typing import Any

import pytest

from tools.slipway_client.report import Report


@pytest.fixture
def report(tmp_path: Path) -> Any:
    """`report(content)` reads a file with this content. `report.path` is the file."""

    def read(content: bytes | str, **environ: str) -> Report:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Report({"REPORT": str(path), **environ})

    path = tmp_path / "report.json"
    read.path = path  # type: ignore[attr-defined]
    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_report_is_read_in_each_encoding(report: Any, encoding: str) -> None:
    read = report('{"passed": 12.0, "failed": "0", "skipped": 1}'.encode(encoding))

    assert (read.outcome, read.fault) == ("success", "")
    assert read.counts == {"passed": 12, "failed": 0, "skipped": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b"<testsuite/>",
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b'{"failed": -1}',
        b'{"passed": true}',
        b'{"passed": 3, "failed": "none"}',
        b"{}",
        b'{"summary": {"passed": 3}}',
        b'{"passed": null, "failed": null, "outcome": "passed"}',
    ],
)
def test_a_report_that_cannot_be_read_is_named(report: Any, content: bytes) -> None:
    read = report(content)

    assert read.outcome == "error"
    assert f"REPORT={report.path}" in read.fault


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    assert f"REPORT={tmp_path}" in Report({"REPORT": str(tmp_path)}).fault


def test_a_missing_report_is_no_fault_but_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = Report({"REPORT": str(tmp_path / "none.json")})

    assert (read.outcome, read.fault) == ("error", "")
    assert "none.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "environ"),
    [
        ('{"passed": 3, "skipped": "some"}', {}),
        ('{"passed": 3, "failed": 3e10}', {}),
        ('{"passed": "most", "failed": 3}', {}),
        ('{"passed": -1, "failed": 3}', {}),
        ('{"failed": "some", "passed": 3, "outcome": "failure"}', {}),
        ('{"passed": 3, "failed": "some"}', {"OUTCOME": "failure"}),
    ],
)
def test_a_number_that_only_informs_is_left_out(
    report: Any, capsys: pytest.CaptureFixture[str], content: str, environ: dict[str, str]
) -> None:
    read = report(content, **environ)

    assert (read.fault, [*read.counts.values()].count(None)) == ("", 2)
    assert "the number is left out" in capsys.readouterr().out
    if "OUTCOME" not in environ:
        assert read.outcome == ("failure" if '"failed"' in content else "success")


@pytest.mark.parametrize(
    ("said", "failed", "outcome"),
    [("error", 0, "error"), ("cancelled", 0, "cancelled"), ("success", 1, "failure"), ("passed", 0, "success")],
)
def test_a_run_that_broke_after_checks_passed_is_no_success(report: Any, said: str, failed: int, outcome: str) -> None:
    assert report(f'{{"outcome": "{said}", "passed": 3, "failed": {failed}}}').outcome == outcome
