"""The metrics, and the JSON with which a log line carries them: CloudWatch's embedded metric format (EMF).

CloudWatch reads the metrics from the log, so no request waits for a call to AWS.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from chalicelib import NAME

# CloudWatch keeps the metrics of each service in a namespace of its own.
NAMESPACE = NAME

# Each metric has these dimensions. Some metrics have another set, with one more dimension.
OF_ALL = ("environment", "workspace")


class Metric(NamedTuple):
    """A metric. Each value counts in every set of `dimensions`."""

    name: str
    unit: Literal["Count", "Milliseconds"]
    dimensions: tuple[tuple[str, ...], ...]


# By name. The packages of resources add their own metrics.
METRICS: dict[str, Metric] = {}


def metric(
    name: str,
    unit: Literal["Count", "Milliseconds"] = "Count",
    *,
    in_all: bool = True,
    by: str | None = None,
    also_by: str | None = None,
) -> Metric:
    """Declare a metric. `by` names one more dimension, and `also_by` that of another set.

    Without `in_all`, the metric has only the sets with one more dimension.
    """
    assert name not in METRICS, f"metric {name} is declared twice: choose another name"
    sets = ((OF_ALL,) if in_all else ()) + tuple((*OF_ALL, each) for each in (by, also_by) if each)
    declared = METRICS[name] = Metric(name, unit, sets)
    return declared


requests = metric("requests", by="operation")
server_errors = metric("server_errors", by="operation")
# `class` is read or write: the objectives of an environment promise a latency for each (docs/objectives.md).
latency = metric("latency", "Milliseconds", by="operation", also_by="class")
statements_time = metric("statements_time", "Milliseconds", by="operation")
cold_starts = metric("cold_starts")
# Connections and statements that failed because of the database. Refused logins are among them.
database_failures = metric("database_failures")
# The scheduled sweep ran to its end.
sweeps = metric("sweeps")


class Sample(NamedTuple):
    """A value of a metric. `of` is the value of the metric's own dimension, if it has one."""

    metric: Metric
    value: float = 1
    of: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields of a log line that carries this value."""
        own = {self.metric.dimensions[-1][-1]: self.of} if self.of is not None else {}
        return {self.metric.name: self.value, **own}


@lru_cache(maxsize=256)
def directive(*metrics: Metric) -> msgspec.Raw:
    """Return the part of EMF that names the metrics in a log line. It is the same for many lines, so encode it once."""
    sets: dict[tuple[tuple[str, ...], ...], list[Metric]] = {}
    for each in metrics:
        sets.setdefault(each.dimensions, []).append(each)
    return msgspec.Raw(
        msgspec.json.encode(
            [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": dimensions,
                    "Metrics": [{"Name": each.name, "Unit": each.unit} for each in those],
                }
                for dimensions, those in sets.items()
            ]
        )
    )
