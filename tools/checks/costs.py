"""`make costs`: compute what each environment costs a month, idle and loaded, from its plan and a table of prices.

The prices are those of us-east-1, without free tiers. Other regions cost up to a third more. docs/infrastructure.md has
the result, and a test compares both.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import app  # noqa: F401 (declares the metrics of the resources)
from chalicelib.telemetry import metrics
from tools.aws import counting
from tools.checkout import ENVIRONMENTS, ROOT
from tools.checks.policy import plans

AS_OF = "November 2026"
HOURS = 730

# The load: a request every 2.6 seconds on average.
MILLIONS_OF_REQUESTS = 1.0
SECONDS_OF_FUNCTION = 0.05
KILOBYTES_OF_ANSWER = 5
KILOBYTES_OF_LOG = 3
READS_AND_WRITES = 2  # of the database's storage
GIGABYTES_OF_DATA = 5
ACUS_UNDER_LOAD = 1.0

# Dollars. The comment names the page of AWS with the price.
KEY, SECRET = 1.0, 0.40  # a month; KMS, Secrets Manager
ACU_HOUR, DATABASE_GIGABYTE = 0.12, 0.10  # Aurora Serverless v2, Aurora Standard storage
FIREWALL, FIREWALL_RULE, FIREWALL_MILLION = 5.0, 1.0, 0.60  # WAF
ALARM_METRIC, COMPOSITE_ALARM, DASHBOARD, METRIC = 0.10, 0.50, 3.0, 0.30  # CloudWatch, a month
LOG_GIGABYTE = 0.50  # CloudWatch Logs, taken in
API_MILLION = 3.50  # API Gateway, REST APIs
FUNCTION_MILLION, FUNCTION_GIGABYTE_SECOND = 0.20, 0.0000166667  # Lambda, x86
CDN_MILLION, CDN_GIGABYTE = 1.0, 0.085  # CloudFront, North America
TRACE_MILLION = 5.0  # X-Ray, traces recorded. X-Ray records one a second and 5 % of the others, so all of this load
READ_OR_WRITE_MILLION = 0.20  # Aurora Standard, input and output
NAT_HOUR, ADDRESS_HOUR = 0.045, 0.005  # VPC

# API Gateway's metrics of a method: requests, two latencies and two kinds of errors. Detailed metrics are billed as
# custom metrics, for each method that was called.
METRICS_OF_A_METHOD = 5
# The values that the own dimension of a resource's metric has, such as the reasons of denials.
VALUES = 5

Plan = Mapping[str, Mapping[str, Any]]


class Cost(NamedTuple):
    """A part of an environment, and its dollars a month without requests and under the load."""

    part: str
    idle: float
    loaded: float


def costs(plan: Plan) -> list[Cost]:
    """Return what an environment costs. `plan` has the arguments of its resources, by address."""
    [cluster] = _of(plan, "aws_rds_cluster")
    scaling = cluster["serverlessv2_scaling_configuration"][0]
    instances, least = len(_of(plan, "aws_rds_cluster_instance")), scaling["min_capacity"]
    [api] = [each for each in _of(plan, "aws_lambda_function") if each["function_name"].endswith("-api")]
    firewalls = _of(plan, "aws_wafv2_web_acl")
    rules = sum(len(each["rule"]) for each in firewalls)
    keys, dashboards = len(_of(plan, "aws_kms_key")), len(_of(plan, "aws_cloudwatch_dashboard"))
    gateways = len(_of(plan, "aws_nat_gateway")) * (NAT_HOUR + ADDRESS_HOUR) * HOURS
    database = instances * ACU_HOUR * HOURS
    # The master's password is a secret too, which RDS creates.
    secrets = (len(_of(plan, "aws_secretsmanager_secret")) + 1) * SECRET
    gigabytes = MILLIONS_OF_REQUESTS * KILOBYTES_OF_ANSWER
    protection = FIREWALL * len(firewalls) + FIREWALL_RULE * rules
    seconds = MILLIONS_OF_REQUESTS * 1_000_000 * SECONDS_OF_FUNCTION * api["memory_size"] / 1024
    found = [
        _same("encryption keys", keys * KEY),
        _same("secrets of the database", secrets),
        _same("alarms", _alarms(plan)),
        _same("dashboards", dashboards * DASHBOARD),
        Cost(
            "our own metrics, if each operation is called in each hour",
            _own_metrics(loaded=False) * METRIC,
            _own_metrics(loaded=True) * METRIC,
        ),
        Cost("database: capacity", database * least, database * max(least, ACUS_UNDER_LOAD)),
        Cost("database: 5 GB of storage", GIGABYTES_OF_DATA * DATABASE_GIGABYTE, GIGABYTES_OF_DATA * DATABASE_GIGABYTE),
        Cost("database: input and output", 0, MILLIONS_OF_REQUESTS * READS_AND_WRITES * READ_OR_WRITE_MILLION),
        Cost("firewalls", protection, protection + len(firewalls) * MILLIONS_OF_REQUESTS * FIREWALL_MILLION),
        Cost("API Gateway", 0, MILLIONS_OF_REQUESTS * API_MILLION),
        Cost("API Gateway: metrics of methods (only with `detailed_metrics`)", 0, _metrics(plan)),
        Cost("functions", 0, MILLIONS_OF_REQUESTS * FUNCTION_MILLION + seconds * FUNCTION_GIGABYTE_SECOND),
        Cost("traces", 0, MILLIONS_OF_REQUESTS * TRACE_MILLION),
        Cost("logs", 0, MILLIONS_OF_REQUESTS * KILOBYTES_OF_LOG * LOG_GIGABYTE),
        Cost("CloudFront", 0, MILLIONS_OF_REQUESTS * CDN_MILLION + gigabytes * CDN_GIGABYTE),
        _same("NAT gateway (only with `egress`)", gateways),
    ]
    return [*found, Cost("**total**", sum(each.idle for each in found), sum(each.loaded for each in found))]


def table(of: Mapping[str, Plan]) -> str:
    """Return the costs of environments as a Markdown table: idle, then under the load."""
    columns = [costs(plan) for plan in of.values()]
    lines = [f"| dollars a month, idle → loaded | {' | '.join(of)} |", f"|---|{'---|' * len(of)}"]
    rows = zip(*columns, strict=True)
    return "\n".join([*lines, *(f"| {row[0].part} | {' | '.join(map(_cell, row))} |" for row in rows)])


def main(_: Mapping[str, str]) -> None:
    """Print the table for docs/infrastructure.md."""
    with tempfile.TemporaryDirectory(prefix="costs-") as temporary:
        of = {}
        for run in plans.RUNS:
            if run.name in ENVIRONMENTS:
                planned = plans.plan(plans.copied(Path(temporary), run.environment, run.environment), run)
                of[run.name] = {
                    each["address"]: each["change"]["after"]
                    for each in planned["resource_changes"]
                    if each["mode"] == "managed"
                }
        print(table(of))


def _cell(cost: Cost) -> str:
    idle, loaded = _dollars(cost.idle), _dollars(cost.loaded)
    return idle if idle == loaded else f"{idle} → {loaded}"


def _dollars(amount: float) -> str:
    return "0" if amount == 0 else f"{amount:.2f}" if amount < 1 else f"{amount:.0f}"


def _same(part: str, dollars: float) -> Cost:
    return Cost(part, dollars, dollars)


def _of(plan: Plan, kind: str) -> list[Mapping[str, Any]]:
    return [resource for address, resource in plan.items() if f".{kind}." in f".{address}"]


def _alarms(plan: Plan) -> float:
    """Return the dollars of alarms. CloudWatch bills each metric that an alarm reads."""
    read = sum(
        bool(query["metric"]) for each in _of(plan, "aws_cloudwatch_metric_alarm") for query in each["metric_query"]
    )
    return read * ALARM_METRIC + len(_of(plan, "aws_cloudwatch_composite_alarm")) * COMPOSITE_ALARM


def _own_metrics(*, loaded: bool) -> int:
    """Return the number of metrics that the functions, the tools and the filter of refused logins put.

    Each set of dimensions with values is a metric of its own. Without requests, only jobs put some.
    """
    of_jobs = 1 + sum(2 if "purpose" in dimensions else 1 for dimensions in counting.METRICS.values())
    if not loaded:
        return of_jobs
    values = {"operation": _methods(), "class": 2}
    return of_jobs + sum(
        values.get(dimensions[-1], 1 if len(dimensions) == len(metrics.OF_ALL) else VALUES)
        for metric in metrics.METRICS.values()
        for dimensions in metric.dimensions
    )


def _metrics(plan: Plan) -> float:
    [settings] = _of(plan, "aws_api_gateway_method_settings")
    return _methods() * METRICS_OF_A_METHOD * METRIC if settings["settings"][0]["metrics_enabled"] else 0


def _methods() -> int:
    document = json.loads((ROOT / "chalicelib" / "api_description" / "openapi.json").read_text())
    return sum(
        len(methods.keys() & {"get", "post", "patch", "put", "delete"}) for methods in document["paths"].values()
    )
