"""The rows about pipelines' roles and the API, its firewall, and the pool of people who sign in."""

from collections.abc import Iterator

from tools.checks.walls.places import (
    Target,
    anything,
    api,
    apis,
    elsewhere,
    named,
    new,
    stage,
    tags_of_api,
    tags_of_new_api,
    user_pool,
)
from tools.checks.walls.rows.applying import MAKERS, REAP, REAP_DEBUG, WITH_FIREWALL, WITH_SITE, Applier
from tools.checks.walls.table import Context, Wall, acts

_TAGS = "arn:aws:apigateway:{region}::/tags/arn%3Aaws%3Aapigateway%3A{region}%3A%3A%2Frestapis%2Fapi1%2Fstages%2F"
tags_of_stage = named(f"{_TAGS}live")
tags_of_new_stage = named(f"{_TAGS}*")
new_resource = named("arn:aws:apigateway:{region}::/restapis/api1/resources")
firewall = named("arn:aws:wafv2:{place}:regional/webacl/{name}/1")
firewall_of_site = named("arn:aws:wafv2:us-east-1:{account}:global/webacl/{name}-site/1")
rules_of_aws = named("arn:aws:wafv2:{place}:regional/managedruleset/AWSManagedRulesCommonRuleSet/1")
other_rules = named("arn:aws:wafv2:{place}:regional/rulegroup/{name}/1")


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    yield from _api(by)
    yield from _pool(by)
    yield from _firewall(by)


def _api(by: Applier) -> Iterator[Wall]:
    yield by.by_tag("creates an API", acts("apigateway", "POST"), new(apis), MAKERS)
    yield by.by_tag("adds a part to an API", acts("apigateway", "POST"), new_resource, MAKERS)
    yield by.by_tag("replaces an API", acts("apigateway", "PUT"), api, MAKERS)
    yield by.by_tag("changes an API", acts("apigateway", "PATCH"), api)
    yield by.by_tag("deletes an API", acts("apigateway", "DELETE"), api)
    # API Gateway writes access logs with one role of the account.
    yield by.by_tag(
        "sends an API's access log to its own log group",
        acts("apigateway", "PATCH"),
        stage,
        when=_log_to(by.own[0]),
        not_when=[_log_to(each) for each in by.other_names if each not in by.own],
    )
    yield by.by_tag("puts a firewall before an API, or takes it away", acts("apigateway", "SetWebACL"), stage)
    # A request to tag something new has a star for the id. A request to tag something that exists has its id.
    for what, made, existing in (
        ("API", tags_of_new_api, tags_of_api),
        ("stage of an API", tags_of_new_stage, tags_of_stage),
    ):
        yield by.by_tag(
            f"tags a new {what}",
            acts("apigateway", "PUT"),
            new(made),
            MAKERS,
            never=[new(existing)(each) for each in by.own],
        )
    # AWS can't limit these requests to an API. No permission depends on these tags.
    yield by.unlimited(
        "tags any API with an owner and a name",
        acts("apigateway", "PUT"),
        tags_of_api,
        MAKERS,
        {"aws:TagKeys": ["owner", "Name"]},
        [{}, *({"aws:TagKeys": ["owner", each]} for each in by.environment.tags)],
        [elsewhere(each) for each in by.own],
    )
    yield by.by_tag("removes tags of an API", acts("apigateway", "DELETE"), tags_of_api, ())


def _log_to(of: Target) -> Context:
    group = f"arn:aws:logs:{of.place}:log-group:/aws/apigateway/{of.name}"
    return {"apigateway:Request/AccessLoggingDestination": group}


def _pool(by: Applier) -> Iterator[Wall]:
    yield by.by_tag("creates a user pool", acts("cognito-idp", "CreateUserPool"), new(anything), WITH_SITE)
    yield from by.tagging("user pool", acts("cognito-idp", "TagResource"), user_pool, WITH_SITE)
    yield by.by_tag(
        "changes a user pool",
        acts(
            "cognito-idp",
            "CreateGroup CreateUserPoolClient CreateUserPoolDomain SetUserPoolMfaConfig UntagResource UpdateGroup"
            " UpdateUserPool UpdateUserPoolClient",
        ),
        user_pool,
        WITH_SITE,
    )
    yield by.by_tag(
        "deletes a user pool",
        acts("cognito-idp", "DeleteGroup DeleteUserPool DeleteUserPoolClient DeleteUserPoolDomain"),
        user_pool,
        (*WITH_SITE, *REAP),
    )
    yield by.by_tag(
        "creates and changes people in a user pool",
        acts("cognito-idp", "AdminAddUserToGroup AdminCreateUser AdminSetUserPassword"),
        user_pool,
        (),
    )


def _firewall(by: Applier) -> Iterator[Wall]:
    change = acts(
        "wafv2",
        "AssociateWebACL CreateWebACL PutLoggingConfiguration TagResource UntagResource UpdateWebACL",
    )
    delete = acts("wafv2", "DeleteLoggingConfiguration DeleteWebACL")
    for what, place in (("an API", firewall), ("a site", firewall_of_site)):
        yield by.by_name(f"creates and changes the firewall of {what}", change, place, WITH_FIREWALL)
        yield by.by_name(f"deletes the firewall of {what}", delete, place, (*WITH_FIREWALL, *REAP_DEBUG))
    rules = acts("wafv2", "CreateWebACL UpdateWebACL")
    yield by.unlimited("uses rules of AWS in a firewall", rules, rules_of_aws, WITH_FIREWALL)
    yield by.by_name("uses other rules in a firewall", rules, other_rules, ())
    # WAF can't tell the stages of APIs apart. API Gateway also asks for SetWebACL, which is limited by tags.
    there = [elsewhere(each) for each in by.own]
    yield by.unlimited(
        "puts its firewall before a stage", acts("wafv2", "AssociateWebACL"), stage, WITH_FIREWALL, not_of=there
    )
    yield by.unlimited(
        "takes the firewall away from a stage",
        acts("wafv2", "DisassociateWebACL"),
        stage,
        (*WITH_FIREWALL, *REAP_DEBUG),
        not_of=there,
    )
    # Log deliveries belong to a region.
    yield by.unlimited(
        "lets the firewall write into a log group",
        acts("logs", "CreateLogDelivery PutResourcePolicy UpdateLogDelivery"),
        anything,
        WITH_FIREWALL,
    )
    yield by.unlimited(
        "reads and deletes log deliveries",
        acts("logs", "DeleteLogDelivery GetLogDelivery ListLogDeliveries"),
        anything,
        (*WITH_FIREWALL, *REAP_DEBUG),
    )
