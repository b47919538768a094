"""The rows about pipelines' roles and functions and their roles, logs and schedules."""

from collections.abc import Iterator

from tools.checks.walls.places import Places, named, role
from tools.checks.walls.places import function as function_
from tools.checks.walls.rows.applying import APPLY, MAKERS, Applier
from tools.checks.walls.table import Wall, acts

function = function_()
function_role = role()
LOG_GROUPS = ("/aws/lambda/{name}-api", "/aws/apigateway/{name}", "/aws/rds/cluster/{name}/postgresql", "/vpc/{name}")
FIREWALL_LOGS = "aws-waf-logs-{name}"
IN_VIRGINIA = "arn:aws:logs:us-east-1:{{account}}:log-group:{}"
rule = named("arn:aws:events:{place}:rule/{name}-sweep")
# The roles that services need in an account, by the service.
ROLES_OF_SERVICES = {
    "ops.apigateway": "AWSServiceRoleForAPIGateway",
    "rds": "AWSServiceRoleForRDS",
    "wafv2": "AWSServiceRoleForWAFV2Logging",
}


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    yield by.by_name(
        "creates, changes and calls functions",
        acts(
            "lambda",
            "AddPermission CreateAlias CreateFunction InvokeFunction PublishVersion TagResource UntagResource"
            " UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration",
        ),
        function,
        MAKERS,
    )
    yield by.by_name(
        "reserves concurrency for functions",
        acts("lambda", "DeleteFunctionConcurrency PutFunctionConcurrency"),
        function,
        APPLY,
    )
    yield by.by_name("deletes functions", acts("lambda", "DeleteAlias DeleteFunction RemovePermission"), function)
    yield from _roles(by)
    yield from _logs(by)
    yield from _schedules(by)


def _roles(by: Applier) -> Iterator[Wall]:
    for own in by.own:
        within = {"iam:PermissionsBoundary": by.boundary(own)}
        # No boundary, and the boundaries of other kinds and of the neighbour.
        without = [
            {},
            *({"iam:PermissionsBoundary": by.boundary(each)} for each in by.strangers if each.system == own.system),
        ]
        yield by.by_name(
            f"creates roles within the boundary of {own.name}",
            acts("iam", "CreateRole PutRolePermissionsBoundary PutRolePolicy"),
            function_role,
            MAKERS,
            within,
            without,
        )
        yield by.by_name(
            f"deletes policies of roles within the boundary of {own.name}",
            acts("iam", "DeleteRolePolicy"),
            function_role,
            when=within,
            not_when=without,
        )
    yield by.by_name(
        "changes roles",
        acts("iam", "TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription"),
        function_role,
        MAKERS,
    )
    yield by.by_name("deletes roles", acts("iam", "DeleteRole"), function_role)
    yield by.by_name(
        "gives roles more than their boundary or their own policies allow",
        acts("iam", "AttachRolePolicy DeleteRolePermissionsBoundary"),
        function_role,
        (),
    )
    for service in ("lambda", "vpc-flow-logs"):
        yield by.by_name(
            f"passes roles to {service}",
            acts("iam", "PassRole"),
            function_role,
            MAKERS,
            {"iam:PassedToService": f"{service}.amazonaws.com"},
            [{}, {"iam:PassedToService": "ec2.amazonaws.com"}],
        )
    for service, name in ROLES_OF_SERVICES.items():
        yield by.unlimited(
            f"creates the role that {service} needs in the account",
            acts("iam", "CreateServiceLinkedRole"),
            named(f"arn:aws:iam::{{account}}:role/aws-service-role/{service}.amazonaws.com/{name}"),
            MAKERS,
            {"iam:AWSServiceName": f"{service}.amazonaws.com"},
            [{}, {"iam:AWSServiceName": "autoscaling.amazonaws.com"}],
        )


def _logs(by: Applier) -> Iterator[Wall]:
    groups = [*(f"arn:aws:logs:{{place}}:log-group:{each}" for each in (*LOG_GROUPS, FIREWALL_LOGS))]
    # The firewall of a site logs in this region.
    for group in (*groups, IN_VIRGINIA.format(FIREWALL_LOGS)):
        where = group.partition("log-group:")[2].partition("{")[0].strip("/-")
        virginia = " in us-east-1" if "us-east-1" in group else ""
        yield by.by_name(
            f"creates and changes log groups of {where}{virginia}",
            acts(
                "logs",
                "AssociateKmsKey CreateLogGroup DisassociateKmsKey PutRetentionPolicy TagLogGroup TagResource"
                " UntagResource",
            ),
            named(group),
            MAKERS,
            in_all_regions=True,
        )
        yield by.by_name(
            f"deletes log groups of {where}{virginia}",
            acts("logs", "DeleteLogGroup"),
            named(group),
            in_all_regions=True,
        )


def _schedules(by: Applier) -> Iterator[Wall]:
    yield by.by_name(
        "creates and changes schedules",
        acts("events", "DisableRule EnableRule PutRule TagResource UntagResource"),
        rule,
        MAKERS,
    )
    # AWS can't limit the pattern of a rule: a pattern without a source, for example, matches each source.
    yield by.by_name(
        "listens to events of the whole account",
        acts("events", "PutRule"),
        rule,
        MAKERS,
        {"events:source": ["aws.rds"], "events:detail-type": ["RDS DB Instance Event"]},
    )
    functions, others = _among(by, function)
    bus = f"arn:aws:events:{by.environment.place}:event-bus/default"
    yield by.by_name(
        "calls its own functions by schedules and events",
        acts("events", "PutTargets"),
        rule,
        MAKERS,
        {"events:TargetArn": functions},
        [{}, *({"events:TargetArn": [*functions, each]} for each in (*others, bus))],
    )
    yield by.by_name("deletes schedules", acts("events", "DeleteRule RemoveTargets"), rule)


def _among(by: Applier, place: Places) -> tuple[list[str], list[str]]:
    """Return the ARNs of a kind of place that a role may name in a request, and those of others."""
    return [place(each).resource for each in by.own], [
        place(each).resource for each in by.other_names if each not in by.own
    ]
