"""Log lines carry metrics in CloudWatch's embedded metric format."""

import json
import re
from typing import Any

import pytest

import app  # noqa: F401 (the packages of resources add their metrics)
from chalicelib.telemetry import logs, metrics
from chalicelib.telemetry.metrics import METRICS, Sample, directive, metric


def described(line: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the dimensions of each metric that CloudWatch finds in a line. Require what the specification asks for."""
    found: dict[str, list[list[str]]] = {}
    assert isinstance(line["_aws"]["Timestamp"], int)
    for each in line["_aws"]["CloudWatchMetrics"]:
        assert each["Namespace"] == metrics.NAMESPACE
        for name in {name for names in each["Dimensions"] for name in names}:
            assert isinstance(line[name], str), f"the dimension {name} has no value in the line"
        for one in each["Metrics"]:
            assert isinstance(line[one["Name"]], int | float)
            found[one["Name"]] = each["Dimensions"]
    return found


def test_a_metric_is_declared_once() -> None:
    with pytest.raises(AssertionError, match="twice"):
        metric("requests")


def test_every_metric_belongs_to_an_environment_and_a_workspace() -> None:
    for each in METRICS.values():
        assert re.fullmatch("[a-z_]+", each.name)
        assert all(dimensions[:2] == ("environment", "workspace") for dimensions in each.dimensions)


def test_a_line_has_each_metric_with_its_own_dimensions(log: list[dict[str, Any]]) -> None:
    by_kind = metrics.Metric("refusals", "Count", (("environment", "workspace", "kind"),))

    logs.write_with_samples("INFO", "done", {}, [Sample(metrics.sweeps), Sample(by_kind, 2, of="late")])

    [line] = log
    assert described(line) == {
        "sweeps": [["environment", "workspace"]],
        "refusals": [["environment", "workspace", "kind"]],
    }
    assert (line["sweeps"], line["refusals"], line["kind"]) == (1, 2, "late")


def test_two_values_of_a_dimension_take_two_lines(log: list[dict[str, Any]]) -> None:
    by_kind = metrics.Metric("refusals", "Count", (("environment", "workspace", "kind"),))

    logs.write_with_samples(
        "INFO", "done", {"request_id": "7", "status": 409}, [Sample(by_kind, of="late"), Sample(by_kind, of="early")]
    )

    assert [(line["message"], line["kind"], line["request_id"]) for line in log] == [
        ("done", "late", "7"),
        ("counted", "early", "7"),
    ]
    assert [described(line).keys() for line in log] == [{"refusals"}] * 2


def test_metrics_with_the_same_dimensions_share_them() -> None:
    assert [len(each["Metrics"]) for each in json.loads(bytes(directive(*METRICS.values())))][0] > 1
