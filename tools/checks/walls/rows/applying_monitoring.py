"""The rows about pipelines' roles and alarms, dashboards and budgets. Only an environment has them."""

from collections.abc import Iterator

from tools.checks.walls.places import anything, named, untagged
from tools.checks.walls.rows.applying import APPLY, Applier
from tools.checks.walls.table import Context, Wall, acts

ALARMS = {
    "": named("arn:aws:cloudwatch:{place}:alarm:{name}-errors-1h"),
    " in us-east-1": named("arn:aws:cloudwatch:us-east-1:{account}:alarm:{name}-site"),
}
TOPICS = {
    "": named("arn:aws:sns:{place}:{name}-alarms"),
    " in us-east-1": named("arn:aws:sns:us-east-1:{account}:{name}-site-alarms"),
}
dashboard = named("arn:aws:cloudwatch::{account}:dashboard/{name}-on-call")
budget = named("arn:aws:budgets::{account}:budget/{name}")
log_group = named("arn:aws:logs:{place}:log-group:/aws/rds/cluster/{name}/postgresql")


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    for where, alarm in ALARMS.items():
        abroad, topic = where != "", TOPICS[where]
        own = [topic(each).resource for each in by.own]
        others = [topic(each).resource for each in by.other_names if topic(each).resource not in own]
        ec2 = f"arn:aws:swf:{by.environment.place}:action/actions/AWS_EC2.InstanceId.Terminate/1.0"
        put = acts("cloudwatch", "PutMetricAlarm")
        notifies_own: Context = {"cloudwatch:AlarmActions": own}
        notifies_others: list[Context] = [{"cloudwatch:AlarmActions": [*own, each]} for each in (*others, ec2)]
        yield by.by_name(
            f"tags alarms{where}",
            acts("cloudwatch", "TagResource UntagResource"),
            alarm,
            APPLY,
            in_all_regions=abroad,
        )
        yield by.by_name(
            f"creates and changes alarms{where} that notify its own topics",
            put,
            alarm,
            APPLY,
            notifies_own,
            notifies_others,
            in_all_regions=abroad,
        )
        yield by.unlimited(
            f"creates and changes composite alarms{where}, if AWS asks about one with its tags",
            acts("cloudwatch", "PutCompositeAlarm"),
            alarm,
            APPLY,
            notifies_own,
            notifies_others,
            by.strangers,
        )
        yield by.by_name(f"creates and changes alarms{where} without actions", put, alarm, APPLY, in_all_regions=abroad)
        yield by.by_name(
            f"deletes alarms{where}", acts("cloudwatch", "DeleteAlarms"), alarm, APPLY, in_all_regions=abroad
        )
        yield by.by_name(
            f"creates, changes and deletes topics of alarms{where}",
            acts(
                "sns",
                "CreateTopic DeleteTopic SetSubscriptionAttributes SetTopicAttributes Subscribe TagResource Unsubscribe"
                " UntagResource",
            ),
            topic,
            APPLY,
            in_all_regions=abroad,
        )
    yield by.unlimited(
        "creates and changes composite alarms, if AWS asks about all",
        acts("cloudwatch", "PutCompositeAlarm"),
        untagged(anything),
        APPLY,
    )
    yield by.by_name(
        "creates, changes and deletes dashboards",
        acts("cloudwatch", "DeleteDashboards PutDashboard"),
        dashboard,
        APPLY,
        in_all_regions=True,
    )
    yield by.by_name(
        "creates, changes and deletes its budget",
        acts("budgets", "ModifyBudget TagResource UntagResource"),
        budget,
        APPLY,
        in_all_regions=True,
    )
    yield by.by_name(
        "counts refused logins in the database's log",
        acts("logs", "DeleteMetricFilter PutMetricFilter"),
        log_group,
        APPLY,
    )
