"""Read the alarms of a plan, and say what they compare, as CloudWatch's metric math does."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import NAME

Plan = Mapping[str, Mapping[str, Any]]

_RUNBOOK = re.compile(r" Runbook: docs/runbooks/([a-z-]+)\.md$")


@dataclass(frozen=True)
class Metric:
    """A metric as an alarm reads it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str

    @property
    def is_ours(self) -> bool:
        return not self.namespace.startswith("AWS/")


Values = Callable[[Metric], Sequence[float]]


@dataclass(frozen=True)
class Alarm:
    """A planned alarm. `kind` is its runbook's name, without `.md`."""

    name: str
    kind: str
    metrics: Mapping[str, Metric]
    steps: Mapping[str, str]
    period: int
    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str

    def value(self, values: Values) -> float | None:
        """Return what the alarm compares in one period, or None if CloudWatch has no value.

        `values` returns the values that were put for a metric, whatever the statistic is.
        """
        known: dict[str, Any] = {id_: _statistic(each.statistic, values(each)) for id_, each in self.metrics.items()}
        for id_, step in self.steps.items():
            known[id_] = _computed(step, known)
        found = known["value"]
        return None if found is None else float(found)

    def crosses(self, values: Values) -> bool:
        """True if one period is beyond the threshold."""
        found = self.value(values)
        if found is None:
            return self.missing == "breaching"
        return found > self.threshold if self.comparison == "GreaterThanThreshold" else found < self.threshold


def alarms(plan: Plan) -> list[Alarm]:
    """Return the metric alarms of a plan."""
    return [_alarm(each) for address, each in plan.items() if ".aws_cloudwatch_metric_alarm." in address]


def dashboards(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the bodies of the dashboards, by their names without the environment's."""
    bodies = (each for address, each in plan.items() if ".aws_cloudwatch_dashboard." in address)
    return {
        each["dashboard_name"].removeprefix(f"{NAME}-").partition("-")[2]: json.loads(each["dashboard_body"])
        for each in bodies
    }


def shown(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the namespace and the name of each metric on a dashboard."""
    for widget in dashboard["widgets"]:
        for line in widget["properties"].get("metrics", ()):
            if isinstance(line[0], str):
                yield line[0], line[1]
            yield from re.findall(
                r"SEARCH\('\{(\w[\w/-]*),.*?MetricName=\"(\w+)\"", json.dumps(line).replace('\\"', '"')
            )


def embedded(lines: Sequence[Mapping[str, Any]]) -> Values:
    """Return the values in log lines with the embedded metric format, by metric."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[float]] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, str(line[name])) for name in names))
                for metric in directive["Metrics"]:
                    said = line[metric["Name"]]
                    key = (directive["Namespace"], metric["Name"], dimensions)
                    found.setdefault(key, []).extend(said if isinstance(said, list) else [said])
    return lambda metric: found.get((metric.namespace, metric.name, metric.dimensions), [])


def _alarm(planned: Mapping[str, Any]) -> Alarm:
    runbook = _RUNBOOK.search(planned["alarm_description"])
    assert runbook, f"{planned['alarm_name']} names no runbook: end its description with Runbook: docs/runbooks/…"
    queries = planned["metric_query"]
    read = {each["id"]: each["metric"][0] for each in queries if each["metric"]}
    [period] = {each["period"] for each in read.values()}
    return Alarm(
        planned["alarm_name"],
        runbook[1],
        {
            id_: Metric(
                each["namespace"],
                each["metric_name"],
                tuple(sorted((each["dimensions"] or {}).items())),
                each["stat"],
            )
            for id_, each in read.items()
        },
        _in_order({each["id"]: each["expression"] for each in queries if each["expression"]}),
        period,
        planned["comparison_operator"],
        planned["threshold"],
        planned["evaluation_periods"],
        planned["datapoints_to_alarm"],
        planned["treat_missing_data"],
    )


def _in_order(steps: Mapping[str, str]) -> dict[str, str]:
    """Return the expressions in an order in which each follows those that it names. `value` is the last one."""
    return dict(sorted(steps.items(), key=lambda step: step[0] == "value"))


def _statistic(name: str, values: Sequence[float]) -> float | None:
    """Return a statistic. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
    if not values:
        return None
    if above := re.fullmatch(r"TC\((\d+):\)", name):  # the number of values above a bound
        return sum(value > float(above[1]) for value in values)
    by_name: dict[str, Callable[[Sequence[float]], float]] = {
        "Sum": sum,
        "SampleCount": len,
        "Maximum": max,
        "Minimum": min,
        "Average": lambda all_: sum(all_) / len(all_),
    }
    return by_name[name](values)


def _computed(expression: str, known: Mapping[str, Any]) -> Any:
    """Return the value of an expression of metric math, or None without one.

    The expressions that we use are Python's too. A missing value, and a division by 0, give no value.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    functions = {
        "FILL": lambda value, instead: instead if value is None else value,
        "MAX": lambda values: max((each for each in values if each is not None), default=None),
        "SUM": lambda values: sum(each for each in values if each is not None),
    }
    parsed = ast.fix_missing_locations(_Conditions().visit(ast.parse(expression, mode="eval")))
    try:
        return eval(compile(parsed, expression, "eval"), {**functions, **known})  # noqa: S307 (our own expressions)
    except (TypeError, ZeroDivisionError):
        return None


class _Conditions(ast.NodeTransformer):
    """Make Python's conditional of IF, which computes only the branch that it takes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "IF":
            condition, then, otherwise = node.args
            return ast.IfExp(condition, then, otherwise)
        return node
