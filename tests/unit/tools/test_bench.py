"""The benchmark measures the shipped code. It fails if a figure exceeds its bound."""

import itertools

import pytest

from tools.checkout import ToolError
from tools.checks.bench import package
from tools.checks.bench.exchanges import Exchange
from tools.checks.bench.figures import Figure, fastest
from tools.checks.bench.report import report


def test_the_benchmark_succeeds_if_every_bound_holds():
    assert report([Figure("a", 2, "times", 2), Figure("b", 1_000_000, "bytes")]) == 0


def test_the_benchmark_fails_if_a_bound_is_exceeded():
    assert report([Figure("a", 2.01, "times", 2), Figure("b", 1, "", 4)]) == 1


def test_every_figure_is_printed_even_after_an_exceeded_bound(capsys):
    report([Figure("first", 3, "times", 2), Figure("second", 9_630_290, "bytes", 12_000_000)])

    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["first", "3.00"]
    assert second.split()[:2] == ["second", "9,630,290"]


def test_alternatives_take_turns_and_the_fastest_round_counts():
    turns = []

    def way(name, costs):
        return lambda: (turns.append(name), next(costs))[1]

    result = fastest(way("a", itertools.cycle([5, 3, 9])), way("b", iter([2, 8, 4])), rounds=3)

    assert result == [3, 2]
    assert turns == ["a", "b", "b", "a", "a", "b"]


def test_every_statement_of_a_message_is_counted():
    assert Exchange("BEGIN;\nSELECT 1;\nSELECT 2", ([], []), 0).statements == 3


def test_a_failed_packaging_says_why(tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    for folder in ("chalicelib", ".chalice"):
        (checkout / folder).mkdir(parents=True)
    (checkout / ".chalice" / "config.json").write_text(
        '{"version": "2.0", "app_name": "service", "stages": {"production": {}}}'
    )
    (checkout / "requirements.txt").touch()
    (checkout / "app.py").write_text("raise ImportError('a package is missing')")
    monkeypatch.setattr(package, "ROOT", checkout)
    monkeypatch.setattr(package, "FOLDER", tmp_path / "bench")

    with pytest.raises(ToolError, match="a package is missing"):
        package.make()
