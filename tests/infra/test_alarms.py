"""Each alarm has a metric, a runbook and a graph, and each of those has an alarm. AWS's own metrics are as AWS says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import app  # noqa: F401 (declares the metrics of the resources)
from chalicelib import NAME
from chalicelib.telemetry import logs
from chalicelib.telemetry.metrics import METRICS
from tests.support import alarms, modules
from tests.support.alarms import Alarm, Metric
from tests.support.checkout import ROOT
from tools.aws import counting
from tools.aws.terraform import missing
from tools.checkout import ENVIRONMENTS, read_json
from tools.checks.policy import plans
from tools.checks.policy.plans import RUNS, Run

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

RUN = {run.name: run for run in RUNS}
RUNBOOKS = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
# The budget is no alarm of CloudWatch. The certificate has an alarm in environments with a domain.
WITHOUT_ALARM = {"budget", "certificate"}
# Runbooks have these sections, in this order.
SECTIONS = ["What it means for users", "Confirm", "Fix", "Roll back", "Whom to tell"]

DOCS = "https://docs.aws.amazon.com"
GATEWAY = f"{DOCS}/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
LAMBDA = f"{DOCS}/lambda/latest/dg/monitoring-metrics-types.html"
AURORA = f"{DOCS}/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html"
CLOUDFRONT = f"{DOCS}/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html"
WAF = f"{DOCS}/waf/latest/developerguide/waf-metrics.html"
ACM = f"{DOCS}/acm/latest/userguide/cloudwatch-metrics.html"

# AWS's own metrics: namespace, name, dimensions, statistic, and the page that this was read from.
OF_AWS = {
    ("AWS/ApiGateway", "5XXError", ("ApiName", "Stage"), "Sum", GATEWAY),
    ("AWS/ApiGateway", "Count", ("ApiName", "Stage"), "SampleCount", GATEWAY),
    ("AWS/Lambda", "Throttles", ("FunctionName",), "Sum", LAMBDA),
    ("AWS/Lambda", "Duration", ("FunctionName",), "Maximum", LAMBDA),
    ("AWS/RDS", "ACUUtilization", ("DBClusterIdentifier",), "Average", AURORA),
    ("AWS/RDS", "DatabaseConnections", ("DBClusterIdentifier",), "Maximum", AURORA),
    ("AWS/RDS", "VolumeBytesUsed", ("DBClusterIdentifier",), "Average", AURORA),
    ("AWS/CloudFront", "5xxErrorRate", ("DistributionId", "Region"), "Average", CLOUDFRONT),
    ("AWS/CloudFront", "Requests", ("DistributionId", "Region"), "Sum", CLOUDFRONT),
    ("AWS/WAFV2", "BlockedRequests", ("Region", "Rule", "WebACL"), "Sum", WAF),
    ("AWS/WAFV2", "AllowedRequests", ("Region", "Rule", "WebACL"), "Sum", WAF),
    # In front of CloudFront, the metrics have no region.
    ("AWS/WAFV2", "BlockedRequests", ("Rule", "WebACL"), "Sum", WAF),
    ("AWS/WAFV2", "AllowedRequests", ("Rule", "WebACL"), "Sum", WAF),
}
# In environments with a domain.
OF_A_DOMAIN = ("AWS/CertificateManager", "DaysToExpiry", ("CertificateArn",), "Minimum", ACM)
WITH_DOMAIN = Run("modules/monitoring", "tests/monitoring.tftest.hcl", "a_silenced_kind_notifies_nobody")


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def plan(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    return modules.arguments(RUN[request.param])


@pytest.fixture(scope="module")
def found(plan: dict[str, dict[str, Any]]) -> list[Alarm]:
    return alarms.alarms(plan)


def test_each_alarm_has_a_runbook_and_each_runbook_an_alarm(found: list[Alarm]) -> None:
    assert {each.kind for each in found} == RUNBOOKS - WITHOUT_ALARM
    assert WITHOUT_ALARM <= RUNBOOKS


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_says_what_to_do(name: str) -> None:
    text = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()

    assert re.findall("^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert text.startswith(f"# {name}\n")


def test_each_alarm_is_in_one_composite_alarm_and_only_those_notify(
    plan: dict[str, dict[str, Any]], found: list[Alarm]
) -> None:
    composite = [each for address, each in plan.items() if ".aws_cloudwatch_composite_alarm." in address]
    rules = [each["alarm_rule"] for each in composite]
    named = re.findall(r'ALARM\("([^"]+)"\)', " ".join(rules))

    assert sorted(named) == sorted(each.name for each in found)
    assert len(rules) == 2  # one in each region
    assert all(each["alarm_actions"] and each["ok_actions"] for each in composite)
    assert not any(
        each["alarm_actions"] or each["ok_actions"]
        for address, each in plan.items()
        if ".aws_cloudwatch_metric_alarm." in address
    )


def test_a_pair_of_windows_burns_together(plan: dict[str, dict[str, Any]]) -> None:
    rule = " ".join(
        each["alarm_rule"] for address, each in plan.items() if ".aws_cloudwatch_composite_alarm." in address
    )

    for promise in ("errors", "latency-read", "latency-write"):
        for long, short in (("1h", "5m"), ("6h", "30m")):
            names = [rf'ALARM\("{NAME}-\w+-{promise}-{window}"\)' for window in sorted((long, short))]
            assert re.search(rf"\({' AND '.join(names)}\)", rule)


def test_each_alarm_has_a_graph_on_the_dashboard_of_people_on_call(
    plan: dict[str, dict[str, Any]], found: list[Alarm]
) -> None:
    graphs = set(alarms.shown(alarms.dashboards(plan)["on-call"]))
    titles = " ".join(widget["properties"].get("title", "") for widget in alarms.dashboards(plan)["on-call"]["widgets"])

    for alarm in found:
        assert {(each.namespace, each.name) for each in alarm.metrics.values()} <= graphs
        assert f"({alarm.kind}.md)" in titles


def test_each_metric_of_ours_is_on_a_dashboard_and_dashboards_show_no_other(
    plan: dict[str, dict[str, Any]],
) -> None:
    graphs = {each for dashboard in alarms.dashboards(plan).values() for each in alarms.shown(dashboard)}

    assert {name for namespace, name in graphs if namespace == NAME} == set(our_metrics())


def test_each_metric_of_ours_in_an_alarm_exists_with_these_dimensions(
    plan: dict[str, dict[str, Any]], found: list[Alarm]
) -> None:
    filters = [each for address, each in plan.items() if ".aws_cloudwatch_log_metric_filter." in address]
    of_logs = {
        (each["metric_transformation"][0]["namespace"], each["metric_transformation"][0]["name"]) for each in filters
    }

    for metric in metrics(found):
        if metric.is_ours and (metric.namespace, metric.name) not in of_logs:
            assert metric.namespace == NAME
            assert {name for name, _ in metric.dimensions} in our_metrics()[metric.name]


def test_the_metrics_of_aws_are_as_its_pages_say(found: list[Alarm]) -> None:
    assert of_aws(found) == {row[:4] for row in OF_AWS}


@pytest.mark.slow
def test_the_certificate_of_a_domain_has_an_alarm() -> None:
    planned = plans.plan(modules.copied("modules/monitoring"), WITH_DOMAIN, modules.quickly)
    changes = {each["address"]: each["change"]["after"] for each in planned["resource_changes"]}
    found = alarms.alarms({f".{address}": each for address, each in changes.items()})

    assert of_aws(found) == {row[:4] for row in (*OF_AWS, OF_A_DOMAIN)}
    assert {each.kind for each in found} == RUNBOOKS - {"budget"}


def test_the_queries_of_the_dashboards_name_fields_of_the_log(plan: dict[str, dict[str, Any]]) -> None:
    queries = [
        widget["properties"]["query"]
        for widget in alarms.dashboards(plan)["developers"]["widgets"]
        if widget["type"] == "log"
    ]
    words = set(re.findall(r"\b[a-z_]+\b", " ".join(re.sub(r"'[^']*'", "", query) for query in queries)))
    of_the_language = {"filter", "and", "stats", "count", "as", "by", "sort", "desc", "limit", "fields", "max"}
    aliases = {"requests", "milliseconds", "ispresent", "timestamp"}

    assert len(queries) == 3
    assert words - of_the_language - aliases <= {*logs.FIELDS, *METRICS}


def test_the_alarms_compare_with_the_objectives(plan: dict[str, dict[str, Any]], found: list[Alarm]) -> None:
    [environment] = {dict(each.dimensions)["environment"] for each in metrics(found) if each.namespace == NAME}
    wanted = read_json(ROOT / "infra" / environment / "objectives.json")
    by_name = {each.name.removeprefix(f"{NAME}-{environment}-"): each for each in found}

    assert by_name["verification-overdue"].periods == wanted["verified_within_hours"]
    assert by_name["reaper-overdue-debug"].periods == wanted["reaped_within_hours"]
    assert by_name["sweep-overdue"].periods == wanted["swept_within_hours"]
    assert by_name["database-storage"].threshold == wanted["database_gigabytes"] * 1e9
    assert by_name["failed-logins"].threshold == wanted["failed_logins_an_hour"]
    for class_, promise in wanted["latency"].items():
        assert by_name[f"latency-{class_}-1h"].metrics["slow"].statistic == f"TC({promise['milliseconds']}:)"
    [budget] = [each for address, each in plan.items() if ".aws_budgets_budget." in address]
    assert budget["limit_amount"] == str(wanted["dollars_a_month"])
    assert budget["cost_filter"] == [{"name": "TagKeyValue", "values": [f"user:environment${environment}"]}]


@pytest.mark.parametrize(("bad", "all_", "burns"), [(4, 10, False), (15, 1000, True), (14, 1000, False), (0, 0, False)])
def test_errors_burn_by_their_share_and_a_few_wake_nobody(bad: int, all_: int, burns: bool) -> None:
    alarm = by_kind("errors-1h")

    def gateway(metric: Metric) -> list[float]:
        return {"5XXError": [1.0] * bad, "Count": [1.0] * all_}.get(metric.name, [])

    assert alarm.crosses(gateway) is burns


@pytest.mark.parametrize(
    ("name", "values", "begins"),
    [
        ("sweep-overdue", {}, True),
        ("sweep-overdue", {"sweeps": [1]}, False),
        ("reaper-overdue-personal", {}, True),
        ("verification-overdue", {"verifications": [1]}, False),
        ("orphans", {"orphans": [0, 1]}, True),
        ("orphans", {"orphans": [0]}, False),
        ("throttles", {"Throttles": [1]}, True),
        ("duration", {"Duration": [15_000]}, False),
        ("duration", {"Duration": [17_000]}, True),
        ("firewall", {"BlockedRequests": [150], "AllowedRequests": [1000]}, False),
        ("firewall", {"BlockedRequests": [150], "AllowedRequests": [100]}, True),
        ("firewall", {"AllowedRequests": [100]}, False),
        ("cdn-errors", {"5xxErrorRate": [2.0], "Requests": [1000]}, True),
        ("cdn-errors", {"5xxErrorRate": [20.0], "Requests": [10]}, False),
        ("failed-logins", {"failed_logins": [1] * 21}, True),
    ],
)
def test_an_alarm_begins_only_with_what_it_is_about(name: str, values: dict[str, list[float]], begins: bool) -> None:
    # A function of the API times out after 20 s, and the others later.
    assert by_kind(name).crosses(lambda metric: values.get(metric.name, [])) is begins


def by_kind(name: str) -> Alarm:
    """Return an alarm of production."""
    found = alarms.alarms(modules.arguments(RUN["production"]))
    return next(each for each in found if each.name == f"{NAME}-production-{name}")


def metrics(found: list[Alarm]) -> Iterator[Metric]:
    for alarm in found:
        yield from alarm.metrics.values()


def of_aws(found: list[Alarm]) -> set[tuple[str, str, tuple[str, ...], str]]:
    """Return the metrics of AWS that alarms read: namespace, name, names of dimensions, statistic."""
    return {
        (each.namespace, each.name, tuple(name for name, _ in each.dimensions), each.statistic)
        for each in metrics(found)
        if not each.is_ours
    }


def our_metrics() -> dict[str, list[set[str]]]:
    """Return the sets of dimensions of each metric of ours."""
    return {
        **{name: [set(each) for each in metric.dimensions] for name, metric in METRICS.items()},
        **{name: [set(each)] for name, each in counting.METRICS.items()},
    }
