"""The rows about the roles of pull requests and builds."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    PRODUCTION,
    Place,
    Places,
    abroad,
    anything,
    api,
    apis,
    artifact,
    buckets,
    cluster,
    debug,
    elsewhere,
    foreign,
    function,
    key,
    lock,
    log_group,
    named,
    preview,
    reader_secret,
    role,
    secret_of_master,
    site_bucket,
    stage,
    state,
    state_bucket,
    tags_of_api,
    untagged,
    user_pool,
)
from tools.checks.walls.principals import OfAccount
from tools.checks.walls.table import Wall, acts, wall

PACKAGE, NOTE = artifact(DEVELOPMENT), artifact(PRODUCTION, "abc/deployed/production.json")
WRITTEN_ONCE = {"s3:if-none-match": "*"}
OTHERS = ("workspaces", "debug", "reap", "reap-debug")
BUILDER, DEPLOYER = OfAccount("artifacts"), OfAccount("apply-production")

# The settings that a plan reads, by the service that has them.
DESCRIBED = (
    *acts("cloudwatch", "DescribeAlarms"),
    *acts("cognito-idp", "DescribeUserPoolDomain ListUserPools"),
    *acts(
        "ec2",
        "DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones"
        " DescribeFlowLogs DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaces"
        " DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags"
        " DescribeVpcAttribute DescribeVpcs",
    ),
    *acts("kms", "ListAliases"),
    *acts("logs", "DescribeLogGroups DescribeMetricFilters DescribeResourcePolicies"),
    *acts(
        "rds",
        "DescribeDBClusterParameterGroups DescribeDBClusterParameters DescribeDBClusters DescribeDBEngineVersions"
        " DescribeDBInstances DescribeDBSubnetGroups DescribeGlobalClusters",
    ),
    *acts("sns", "GetSubscriptionAttributes"),
    *acts("tag", "GetResources"),
)
ALARM = named("arn:aws:cloudwatch:{place}:alarm:{name}-errors")
DASHBOARD = named("arn:aws:cloudwatch::{account}:dashboard/{name}-on-call")
BUDGET = named("arn:aws:budgets::{account}:budget/{name}")
RULE = named("arn:aws:events:{place}:rule/{name}-sweep")
TOPIC = named("arn:aws:sns:{place}:{name}-alarms")
FIREWALL = named("arn:aws:wafv2:{place}:regional/webacl/{name}/1")
NAMED: tuple[tuple[Places, tuple[str, ...]], ...] = (
    (ALARM, acts("cloudwatch", "ListTagsForResource")),
    (DASHBOARD, acts("cloudwatch", "GetDashboard")),
    (BUDGET, acts("budgets", "ListTagsForResource ViewBudget")),
    (RULE, acts("events", "DescribeRule ListTagsForResource ListTargetsByRule")),
    (
        role(),
        acts("iam", "GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"),
    ),
    (
        function(),
        acts(
            "lambda",
            "GetAlias GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration"
            " GetPolicy ListAliases ListTags ListVersionsByFunction",
        ),
    ),
    (log_group, acts("logs", "ListTagsForResource ListTagsLogGroup")),
    (cluster, acts("rds", "ListTagsForResource")),
    (reader_secret, acts("secretsmanager", "DescribeSecret GetResourcePolicy")),
    (TOPIC, acts("sns", "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource")),
    (FIREWALL, acts("wafv2", "GetLoggingConfiguration GetWebACL ListTagsForResource GetWebACLForResource")),
)
DISTRIBUTION = named("arn:aws:cloudfront::{account}:distribution/{name}")
TAGGED: tuple[tuple[Places, tuple[str, ...]], ...] = (
    (DISTRIBUTION, acts("cloudfront", "GetDistribution ListTagsForResource")),
    (
        user_pool,
        acts(
            "cognito-idp",
            "DescribeUserPool DescribeUserPoolClient GetGroup GetUserPoolMfaConfig ListTagsForResource"
            " ListUserPoolClients",
        ),
    ),
)
OF_KEYS = acts("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags")
OF_CLOUDFRONT = (
    ("function", "DescribeFunction GetFunction"),
    ("key-value-store", "DescribeKeyValueStore"),
    ("cache-policy", "GetCachePolicy"),
    ("origin-access-control", "GetOriginAccessControl"),
    ("origin-request-policy", "GetOriginRequestPolicy"),
    ("response-headers-policy", "GetResponseHeadersPolicy"),
)
OF_BUCKETS = acts(
    "s3",
    "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging"
    " GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPublicAccessBlock"
    " GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration"
    " GetLifecycleConfiguration GetReplicationConfiguration ListBucket",
)
DATA: tuple[tuple[str, tuple[str, ...], Places], ...] = (
    ("reads the reader's password", acts("secretsmanager", "GetSecretValue"), reader_secret),
    ("reads the master's password", acts("secretsmanager", "GetSecretValue"), secret_of_master),
    ("decrypts data", acts("kms", "Decrypt"), key),
    ("runs SQL", acts("rds-data", "ExecuteStatement"), cluster),
    ("reads logs", acts("logs", "FilterLogEvents StartQuery"), log_group),
    ("reads packages", acts("s3", "GetObject"), artifact),
    ("reads people", acts("cognito-idp", "ListUsers AdminGetUser"), user_pool),
    ("calls a function", acts("lambda", "InvokeFunction"), function()),
    ("writes a state", acts("s3", "PutObject DeleteObject"), state),
    ("locks a state", acts("s3", "PutObject DeleteObject"), lock),
    ("takes a function's role", acts("iam", "PassRole"), role()),
)


def _plan(*, production: bool) -> Iterator[Wall]:
    who = OfAccount("plan", production=production)
    environments = [PRODUCTION] if production else [DEVELOPMENT, PREPRODUCTION]
    [of, *_], foreigners = environments, [DEVELOPMENT] if production else [PRODUCTION]
    own = [*environments, preview(of), debug(of)]
    yield wall(who, "lists settings", DESCRIBED, anything, [of], [*foreigners, abroad(of)])
    for place, actions in NAMED:
        yield wall(who, "reads settings by name", actions, place, own, [*foreigners, foreign(of), abroad(of)])
    firewall = acts("wafv2", "GetWebACLForResource")
    yield wall(who, "reads the firewall of an API", firewall, stage, [of], [elsewhere(of)])
    for place, actions in TAGGED:
        row = wall(who, "reads settings by tag", actions, place, own, [*foreigners, foreign(of), abroad(of)])
        yield replace(row, not_on=(*row.not_on, untagged(place)(of)))
    yield wall(who, "reads settings of keys", OF_KEYS, key, own, [*foreigners, foreign(of), abroad(of)])
    new = "reads settings of keys whose tags do not count yet"
    yield wall(who, new, OF_KEYS, untagged(key), own, [*foreigners, abroad(of)])
    for type_, names in OF_CLOUDFRONT:
        place = named(f"arn:aws:cloudfront::{{account}}:{type_}/{{name}}")
        yield wall(who, "reads CloudFront's parts", acts("cloudfront", names), place, [of], [*foreigners, abroad(of)])
    for place in (apis, api, tags_of_api):
        yield wall(who, "reads APIs", acts("apigateway", "GET"), place, [of], [elsewhere(of)])
    keys = named("arn:aws:apigateway:{region}::/apikeys/1")
    yield wall(who, "reads the keys of APIs", acts("apigateway", "GET"), keys, not_of=[of])
    # The names of the other account's environments, in this account too.
    moved = [replace(each, account=of.account_id) for each in foreigners]
    yield wall(who, "reads buckets", OF_BUCKETS, site_bucket, own, [*foreigners, *moved, foreign(of)])
    row = wall(who, "lists the states", acts("s3", "ListBucket"), state_bucket, [of], foreigners)
    yield replace(row, not_on=(*row.not_on, *buckets(of)))
    yield wall(who, "reads states", acts("s3", "GetObject"), state, own, [*foreigners, *moved])
    yield from (wall(who, does, actions, place, not_of=own) for does, actions, place in DATA)
    account = Place(state_bucket(of).resource + "/account.tfstate", of.account_id)
    yield Wall(who, "reads the state of the account", acts("s3", "GetObject"), not_on=(account,))


def _packages() -> Iterator[Wall]:
    read = acts("s3", "GetObject ListBucket")
    bucket = replace(PACKAGE, resource=PACKAGE.resource.partition("/")[0])
    yield Wall(
        BUILDER,
        "stores a package",
        acts("s3", "PutObject"),
        (PACKAGE,),
        (artifact(DEVELOPMENT, "abc/deployed/development.json"), NOTE, state(DEVELOPMENT)),
        WRITTEN_ONCE,
        ({"s3:ObjectCreationOperation": "true"}, {**WRITTEN_ONCE, "aws:SecureTransport": "false"}),
        (OfAccount("plan"), OfAccount("workspaces-development"), OfAccount("debug-development"), DEPLOYER),
    )
    for place, action in zip((PACKAGE, bucket), read, strict=True):
        # The name of a bucket that somebody else made may begin like ours.
        other = replace(place, resource=place.resource.replace(DEVELOPMENT.account_id, "2"))
        yield Wall(
            BUILDER,
            "reads packages",
            (action,),
            (place,),
            (state(DEVELOPMENT) if place is PACKAGE else state_bucket(DEVELOPMENT), other),
            not_when=({"aws:SecureTransport": "false"},),
            not_by=(OfAccount("plan"), OfAccount("workspaces-development"), OfAccount("reap-development")),
        )
        yield Wall(
            DEPLOYER,
            "reads packages of the testing account",
            (action,),
            (place,),
            (state(DEVELOPMENT) if place is PACKAGE else state_bucket(DEVELOPMENT),),
            not_by=(OfAccount("plan", production=True), *(OfAccount(f"{each}-production") for each in OTHERS)),
        )
    yield Wall(
        DEPLOYER,
        "notes a deployment",
        acts("s3", "PutObject"),
        (NOTE,),
        (artifact(DEVELOPMENT, "abc/deployed/development.json"), PACKAGE),
        WRITTEN_ONCE,
        ({"s3:ObjectCreationOperation": "true"},),
        (BUILDER, *(OfAccount(f"{each}-production") for each in OTHERS), OfAccount("apply-development")),
    )
    for who in (BUILDER, DEPLOYER):
        yield Wall(who, "deletes packages", acts("s3", "DeleteObject DeleteObjectVersion"), not_on=(PACKAGE, NOTE))


WALLS = (*_plan(production=False), *_plan(production=True), *_packages())
