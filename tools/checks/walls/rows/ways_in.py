"""Ways in: what somebody tries who has the role of an environment's previews, because their pull request ran with it.

created_roles.py asks what the roles can do that such code creates.
"""

from collections.abc import Iterator

from tools.checkout import ENVIRONMENTS
from tools.checks.walls.places import (
    Place,
    Places,
    Target,
    anything,
    api,
    artifact,
    cluster,
    debug,
    foreign,
    function,
    key,
    key_of_cloudfront,
    lock,
    log_group,
    named,
    new,
    part,
    preview,
    reader_secret,
    role,
    secret_of_master,
    security_group,
    site_bucket,
    site_file,
    stage,
    state,
    tags_of_api,
    untagged,
    user_pool,
)
from tools.checks.walls.principals import OfAccount, boundary
from tools.checks.walls.rows import github
from tools.checks.walls.table import Context, Wall, acts, wall

TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}
Try = tuple[str, tuple[str, ...], Places]

CODE: tuple[Try, ...] = (
    (
        "changes code",
        acts("lambda", "UpdateFunctionCode UpdateFunctionConfiguration PublishVersion"),
        function("bootstrap"),
    ),
    ("moves an alias", acts("lambda", "UpdateAlias DeleteAlias CreateAlias"), function()),
    ("calls a function", acts("lambda", "InvokeFunction"), function("bootstrap")),
    ("lets others call a function", acts("lambda", "AddPermission RemovePermission"), function()),
    ("gives a function an address", acts("lambda", "CreateFunctionUrlConfig"), function()),
    (
        "changes a schedule",
        acts("events", "PutRule PutTargets DisableRule"),
        named("arn:aws:events:{place}:rule/{name}-sweep"),
    ),
    (
        "ends alarms",
        acts("cloudwatch", "PutMetricAlarm DeleteAlarms"),
        named("arn:aws:cloudwatch:{place}:alarm:{name}-x"),
    ),
    ("listens to alarms", acts("sns", "Subscribe SetTopicAttributes"), named("arn:aws:sns:{place}:{name}-alarms")),
)
DATA: tuple[Try, ...] = (
    (
        "reads the master's password",
        acts("secretsmanager", "GetSecretValue PutSecretValue UpdateSecret"),
        secret_of_master,
    ),
    ("shares a password", acts("secretsmanager", "PutResourcePolicy"), secret_of_master),
    (
        "reads the reader's password",
        acts("secretsmanager", "GetSecretValue PutSecretValue UpdateSecret"),
        reader_secret,
    ),
    ("deletes the reader's password", acts("secretsmanager", "DeleteSecret PutResourcePolicy"), reader_secret),
    ("runs SQL", acts("rds-data", "ExecuteStatement BatchExecuteStatement BeginTransaction"), cluster),
    (
        "copies a database",
        acts("rds", "RestoreDBClusterToPointInTime CreateDBClusterSnapshot CreateGlobalCluster StartExportTask"),
        cluster,
    ),
    (
        "copies or shares a snapshot",
        acts("rds", "RestoreDBClusterFromSnapshot CopyDBClusterSnapshot ModifyDBClusterSnapshotAttribute"),
        named("arn:aws:rds:{place}:cluster-snapshot:{name}-1"),
    ),
    ("changes a database", acts("rds", "ModifyDBCluster DeleteDBCluster AddRoleToDBCluster"), cluster),
    ("adds an instance to a database", acts("rds", "CreateDBInstance"), cluster),
    ("uses a key", acts("kms", "Decrypt GenerateDataKey CreateGrant"), key),
    ("changes a key", acts("kms", "PutKeyPolicy ScheduleKeyDeletion DisableKey UntagResource"), key),
    ("changes CloudFront's key", acts("kms", "PutKeyPolicy ScheduleKeyDeletion"), key_of_cloudfront),
    ("reads logs", acts("logs", "FilterLogEvents StartQuery GetLogRecord PutSubscriptionFilter"), log_group),
    ("deletes logs", acts("logs", "DeleteLogGroup PutRetentionPolicy"), log_group),
    ("writes a state", acts("s3", "PutObject DeleteObject DeleteObjectVersion"), state),
    ("locks a state", acts("s3", "PutObject DeleteObject"), lock),
    ("reaches packages", acts("s3", "GetObject PutObject DeleteObject"), artifact),
    ("writes a site", acts("s3", "PutObject DeleteObject"), site_file),
    ("opens a bucket", acts("s3", "PutBucketPolicy PutBucketPublicAccessBlock DeleteBucket"), site_bucket),
)
NETWORK: tuple[Try, ...] = (
    (
        "opens a security group",
        acts("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"),
        security_group("database"),
    ),
    (
        "changes a network",
        acts("ec2", "CreateSubnet CreateSecurityGroup CreateRouteTable DeleteVpc ModifyVpcAttribute"),
        part("vpc"),
    ),
    (
        "redirects a network",
        acts("ec2", "CreateRoute ReplaceRoute DeleteRoute AssociateRouteTable"),
        part("route-table"),
    ),
    (
        "joins networks",
        acts("ec2", "CreateVpcPeeringConnection AcceptVpcPeeringConnection CreateVpcEndpoint"),
        part("vpc"),
    ),
    ("starts a machine in a network", acts("ec2", "RunInstances CreateNetworkInterface"), part("subnet")),
    (
        "changes an interface",
        acts("ec2", "ModifyNetworkInterfaceAttribute DetachNetworkInterface"),
        part("network-interface"),
    ),
    ("ends the flow log", acts("ec2", "DeleteFlowLogs"), part("vpc-flow-log")),
    ("takes over a subnet by tags", acts("ec2", "CreateTags DeleteTags"), part("subnet")),
    ("takes over a security group by tags", acts("ec2", "CreateTags DeleteTags"), part("security-group")),
)
FRONT: tuple[Try, ...] = (
    ("changes an API", acts("apigateway", "PATCH PUT DELETE UpdateRestApiPolicy"), api),
    ("changes the firewall of an API", acts("apigateway", "PATCH DELETE"), stage),
    (
        "changes a firewall",
        acts("wafv2", "UpdateWebACL DeleteWebACL"),
        named("arn:aws:wafv2:{place}:regional/webacl/{name}/1"),
    ),
    (
        "changes the pool of people",
        acts("cognito-idp", "UpdateUserPool DeleteUserPool CreateUserPoolClient"),
        user_pool,
    ),
    ("changes people", acts("cognito-idp", "AdminCreateUser AdminAddUserToGroup AdminSetUserPassword"), user_pool),
    (
        "changes a distribution",
        acts("cloudfront", "UpdateDistribution DeleteDistribution CreateInvalidation TagResource"),
        named("arn:aws:cloudfront::{account}:distribution/{name}"),
    ),
    (
        "changes the viewer's function",
        acts("cloudfront", "UpdateFunction PublishFunction DeleteFunction"),
        named("arn:aws:cloudfront::{account}:function/{name}-viewer"),
    ),
)
ROLES: tuple[Try, ...] = (
    ("hands a role to a service", acts("iam", "PassRole"), role("bootstrap")),
    ("changes a role", acts("iam", "PutRolePolicy AttachRolePolicy DeleteRolePolicy DeleteRole"), role()),
    ("changes who may take a role", acts("iam", "UpdateAssumeRolePolicy"), role()),
    ("creates a role", acts("iam", "CreateRole"), role("made")),
    ("changes the boundary of a role", acts("iam", "PutRolePermissionsBoundary DeleteRolePermissionsBoundary"), role()),
)
# No name or tag may make these possible, even in the role's own workspaces.
NEVER: tuple[Try, ...] = (
    ("attaches AWS's own policies", acts("iam", "AttachRolePolicy"), role("made")),
    ("removes a boundary", acts("iam", "DeleteRolePermissionsBoundary"), role("made")),
    ("creates a user", acts("iam", "CreateUser CreateAccessKey"), named("arn:aws:iam::{account}:user/{name}")),
    (
        "creates a policy",
        acts("iam", "CreatePolicy CreatePolicyVersion"),
        named("arn:aws:iam::{account}:policy/{name}"),
    ),
    ("reads its master's password", acts("secretsmanager", "GetSecretValue"), secret_of_master),
    ("reads its reader's password", acts("secretsmanager", "GetSecretValue PutSecretValue"), reader_secret),
    ("tags an API that exists", acts("apigateway", "PUT DELETE"), tags_of_api),
    ("takes over what has no tags", acts("ec2", "CreateTags"), new(untagged(part("subnet")))),
    ("takes over an API without tags", acts("apigateway", "PATCH PUT DELETE"), untagged(api)),
    ("takes over a key without tags", acts("kms", "PutKeyPolicy ScheduleKeyDeletion"), untagged(key)),
    (
        "changes the routes of clients",
        acts("cloudfront-keyvaluestore", "PutKey DeleteKey"),
        named("arn:aws:cloudfront::{account}:key-value-store/{name}"),
    ),
    ("changes API Gateway's settings", acts("apigateway", "PATCH"), named("arn:aws:apigateway:{region}::/account")),
    ("adds a domain", acts("apigateway", "POST"), named("arn:aws:apigateway:{region}::/domainnames")),
    ("changes DNS", acts("route53", "ChangeResourceRecordSets"), named("arn:aws:route53:::hostedzone/Z1")),
    ("lets logs out", acts("logs", "PutSubscriptionFilter"), log_group),
    ("becomes a person", acts("cognito-idp", "AdminInitiateAuth AdminCreateUser AdminSetUserPassword"), user_pool),
)


def _walls(environment: str) -> Iterator[Wall]:
    who, of = OfAccount(f"workspaces-{environment}"), Target(environment)
    account = [each for each in map(Target, ENVIRONMENTS) if each.account_id == of.account_id]
    others = [*account, debug(of), *(preview(each) for each in account if each != of)]
    for does, actions, place in (*CODE, *DATA, *NETWORK, *FRONT):
        yield wall(who, does, actions, place, not_of=others)
    for does, actions, place in ROLES:
        for when in _pretences(of, actions):
            yield wall(who, does, actions, place, not_of=[*others, foreign(of)], when=when)
    for does, actions, place in NEVER:
        yield wall(who, does, actions, place, not_of=[preview(of), *account])
    yield from _account(who, of)


def _pretences(of: Target, actions: tuple[str, ...]) -> list[Context]:
    """Return the contexts of a request about a role, with each boundary that the role may have."""
    if actions == acts("iam", "PassRole"):
        return [TO_LAMBDA, {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}]
    if set(actions) & set(acts("iam", "PutRolePolicy CreateRole PutRolePermissionsBoundary")):
        return [
            {"iam:PermissionsBoundary": boundary(of, f"{of.environment}{kind}")}
            for kind in ("", "-workspaces", "-debug")
        ]
    return [{}]


def _account(who: OfAccount, of: Target) -> Iterator[Wall]:
    """Yield the rows about what infra/account owns, and about the limits of what the role creates itself."""
    production = of.environment == "production"
    roles = tuple(github.roles(production=production))
    for does, names, when in (
        ("hands a pipeline's role to a service", "PassRole", TO_LAMBDA),
        ("changes a pipeline's role", "PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy DeleteRole", {}),
    ):
        yield Wall(who, does, acts("iam", names), (), roles, when)
    yield Wall(who, "takes a pipeline's role", acts("sts", "AssumeRole AssumeRoleWithWebIdentity"), (), roles)
    limits = tuple(
        Place(boundary(of, f"{of.environment}{kind}"), of.account_id) for kind in ("", "-workspaces", "-debug")
    )
    change = acts("iam", "CreatePolicyVersion SetDefaultPolicyVersion DeletePolicy")
    yield Wall(who, "changes a boundary", change, (), limits)
    issuer = Place(f"arn:aws:iam::{of.account_id}:oidc-provider/token.actions.githubusercontent.com", of.account_id)
    change = acts("iam", "UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider")
    yield Wall(who, "trusts another issuer", change, (), (issuer,))
    own, create = role("made")(preview(of)), acts("iam", "CreateRole PutRolePolicy PutRolePermissionsBoundary")
    bounded, *unbounded = (
        {"iam:PermissionsBoundary": arn}
        for arn in (
            boundary(of, f"{of.environment}-workspaces"),
            boundary(of, of.environment),
            boundary(of, f"{of.environment}-debug"),
            f"arn:aws:iam::{of.account_id}:policy/made",
            "arn:aws:iam::aws:policy/AdministratorAccess",
        )
    )
    yield Wall(who, "creates roles within its boundary only", create, (own,), (), bounded, ({}, *unbounded))
    given = tuple(
        {"iam:PassedToService": f"{service}.amazonaws.com"}
        for service in (
            "apigateway",
            "cloudformation",
            "ec2",
            "ecs-tasks",
            "events",
            "glue",
            "rds",
            "scheduler",
            "states",
        )
    )
    yield Wall(who, "hands its roles to Lambda only", acts("iam", "PassRole"), (own,), (), TO_LAMBDA, given)
    # Code in a function, or a role that the code created, does not become the pipeline's role.
    yield wall(who, "starts what runs code elsewhere", RUNNERS, anything, not_of=[of])


RUNNERS = (
    *acts("cloudformation", "CreateStack"),
    *acts("codebuild", "CreateProject"),
    *acts("ec2", "RunInstances"),
    *acts("ecs", "RegisterTaskDefinition"),
    *acts("glue", "CreateJob"),
    *acts("lambda", "CreateEventSourceMapping"),
    *acts("scheduler", "CreateSchedule"),
    *acts("states", "CreateStateMachine"),
)
WALLS = tuple(row for environment in ENVIRONMENTS for row in _walls(environment))
