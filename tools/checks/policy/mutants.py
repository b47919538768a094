"""List the mutants: for every scenario, at least one changed plan that violates the scenario.

Mutants show that a scenario finds violations. `make policy` fails if a scenario has no mutant, or passes with a mutant.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib import NAME
from tools.checkout import ToolError
from tools.checks.policy.facts import UNKNOWN, Resource

Change = Callable[[list[Resource]], None]

PRODUCTION, DEBUG = "production", "production-clone"
# An example of the values that a mocked provider makes up for arguments that the sources do not set.
MADE_UP = "eq0e3k59"


@dataclass(frozen=True)
class Mutant:
    """A change of a plan that a scenario must catch. `plan` is a name from plans.py."""

    what: str
    change: Change
    plan: str = PRODUCTION


def _set(path: str, to: Any, only: str = "") -> Change:
    """Return a change that sets an argument. `path` is, for example, `aws_kms_key.tags_all.owner`.

    The change applies to the first resource of this type whose address ends with `only`.
    """

    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        values[last] = to

    return change


def _unset(path: str, only: str = "") -> Change:
    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        del values[last]

    return change


def _remove(kind: str) -> Change:
    return lambda resources: resources.remove(_first(resources, kind))


def _add(kind: str, **values: Any) -> Change:
    return lambda resources: resources.append(Resource(f"{kind}.mutant", kind, values))


def _allow(path: str, only: str = "", **statement: Any) -> Change:
    """Return a change that adds a statement with the effect Allow to a policy."""

    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        document = json.loads(values[last])
        document["Statement"].append({"Effect": "Allow", **statement})
        values[last] = json.dumps(document)

    return change


def _origin_of_api(**settings: Any) -> Change:
    """Return a change of the settings with which CloudFront calls the API."""

    def change(resources: list[Resource]) -> None:
        origins = _first(resources, "aws_cloudfront_distribution").values["origin"]
        next(each for each in origins if "custom_origin_config" in each)["custom_origin_config"][0].update(settings)

    return change


def _first(resources: list[Resource], kind: str, only: str = "") -> Resource:
    for each in resources:
        if each.type == kind and each.address.endswith(only):
            return each
    raise ToolError(f"A mutant changes {kind} ...{only}, which the mutant's plan does not have: correct mutants.py")


def _parent(resources: list[Resource], path: str, only: str) -> tuple[Any, str]:
    kind, *keys, last = path.split(".")
    values: Any = _first(resources, kind, only).values
    for key in keys:
        values = values[int(key) if key.isdigit() else key]
    return values, last


_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_BLOCK = "aws_s3_bucket_public_access_block"
_DISTRIBUTION = "aws_cloudfront_distribution"
_PARAMETERS = "aws_rds_cluster_parameter_group.parameter"
_ROLE_POLICY = "aws_iam_role_policy.policy"
_OLD_TLS = {
    "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
    "minimum_protocol_version": "TLSv1",
}
_EVERYTHING_OF_S3 = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})

MUTANTS = {
    # names_and_tags
    "Every name starts with the environment and the workspace": [
        Mutant("another environment's name", _set("aws_lambda_function.function_name", f"{NAME}-preproduction-api")),
        Mutant("the environment's name in a workspace", _set("aws_sns_topic.name", f"{NAME}-production-alarms"), DEBUG),
        Mutant("a longer environment's name", _set("aws_s3_bucket.bucket", f"{NAME}-production2")),
    ],
    "Everything is tagged with its system": [
        Mutant("no tag", _unset("aws_rds_cluster.tags_all.system")),
        Mutant("no tags at all", _unset("aws_kms_key.tags_all")),
    ],
    "Everything is tagged with its environment": [
        Mutant("another environment", _set("aws_kms_key.tags_all.environment", "development"))
    ],
    "Everything is tagged with its workspace": [
        Mutant("the environment itself", _set("aws_rds_cluster.tags_all.workspace", "default"), DEBUG)
    ],
    "Everything is tagged with its owner": [Mutant("no owner", _unset("aws_sns_topic.tags_all.owner"))],
    # encryption_at_rest
    "The database is encrypted": [
        Mutant("the database is not encrypted", _set("aws_rds_cluster.storage_encrypted", to=False)),
        Mutant("the encryption is not set", _unset("aws_rds_cluster.storage_encrypted")),
    ],
    "The database is encrypted with the environment's key": [
        Mutant("no key", _unset("aws_rds_cluster.kms_key_id")),
        Mutant("a key that the mock makes up", _set("aws_rds_cluster.kms_key_id", MADE_UP)),
    ],
    "The database's master password is encrypted with the environment's key": [
        Mutant("no key", _unset("aws_rds_cluster.master_user_secret_kms_key_id"), DEBUG),
        Mutant("a key that the mock makes up", _set("aws_rds_cluster.master_user_secret_kms_key_id", MADE_UP)),
    ],
    "Performance Insights is encrypted with the environment's key": [
        Mutant("no key", _unset("aws_rds_cluster_instance.performance_insights_kms_key_id"))
    ],
    "Logs are encrypted with the environment's key": [
        Mutant("no key for a function's log", _unset("aws_cloudwatch_log_group.kms_key_id", only='function["api"]')),
        Mutant(
            "no key for the log of the API's firewall",
            _unset("aws_cloudwatch_log_group.kms_key_id", only="firewall_api[0].aws_cloudwatch_log_group.this"),
        ),
    ],
    "The topic of the alarms is encrypted with the environment's key": [
        Mutant("no key", _unset("aws_sns_topic.kms_master_key_id"))
    ],
    "Every bucket is encrypted": [
        Mutant("a bucket is not encrypted", _remove("aws_s3_bucket_server_side_encryption_configuration")),
        Mutant("another bucket is not encrypted", _add("aws_s3_bucket", bucket=f"{NAME}-production-more")),
    ],
    "Keys are rotated": [Mutant("a key is not rotated", _set("aws_kms_key.enable_key_rotation", to=False))],
    # encryption_in_transit
    "The database accepts only TLS connections": [
        Mutant("connections without TLS are accepted", _set(_PARAMETERS, [{"name": "rds.force_ssl", "value": "0"}])),
        Mutant("the parameter is not set", _set(_PARAMETERS, [{"name": "log_statement", "value": "ddl"}])),
    ],
    "Every bucket refuses requests without TLS": [Mutant("a bucket has no policy", _remove("aws_s3_bucket_policy"))],
    "CloudFront serves nothing over HTTP": [
        Mutant("files over HTTP", _set(f"{_DISTRIBUTION}.default_cache_behavior.0.viewer_protocol_policy", "allow-all"))
    ],
    "CloudFront refuses API calls over HTTP, and does not redirect them": [
        Mutant(
            "API calls over HTTP are redirected",
            _set(f"{_DISTRIBUTION}.ordered_cache_behavior.0.viewer_protocol_policy", "redirect-to-https"),
        ),
    ],
    "CloudFront requires TLS 1.2 or later on a domain of ours": [
        Mutant("TLS 1.0", _set(f"{_DISTRIBUTION}.viewer_certificate", [_OLD_TLS]))
    ],
    "CloudFront calls the API only over HTTPS": [
        Mutant(
            "CloudFront calls the API over HTTP if the viewer uses HTTP",
            _origin_of_api(origin_protocol_policy="match-viewer"),
        )
    ],
    "CloudFront calls the API with TLS 1.2 or later": [
        Mutant("TLS 1.1", _origin_of_api(origin_ssl_protocols=["TLSv1.2", "TLSv1.1"]))
    ],
    # nothing_public
    "No bucket accepts a public ACL": [
        Mutant("a bucket accepts a public ACL", _set(f"{_BLOCK}.block_public_acls", to=False))
    ],
    "No bucket accepts a public policy": [
        Mutant("a bucket accepts a public policy", _set(f"{_BLOCK}.block_public_policy", to=False))
    ],
    "Every bucket ignores a public ACL that it has": [
        Mutant("a bucket uses its public ACL", _set(f"{_BLOCK}.ignore_public_acls", to=False))
    ],
    "Every bucket ignores a public policy that it has": [Mutant("nothing blocks public policies", _remove(_BLOCK))],
    "Nobody gets access without being named": [
        Mutant(
            "everybody reads the bucket",
            _allow("aws_s3_bucket_policy.policy", Principal="*", Action="s3:GetObject", Resource="*"),
        ),
        Mutant(
            "every account uses the key",
            _allow("aws_kms_key.policy", Principal={"AWS": ["*"]}, Action="kms:Decrypt", Resource="*"),
            DEBUG,
        ),
        Mutant(
            "everybody may assume a function's role",
            _allow("aws_iam_role.assume_role_policy", Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        ),
        Mutant("everybody calls a function", _set("aws_lambda_permission.principal", "*")),
    ],
    "A service may call a function only for one of our resources": [
        Mutant("any API may call a function", _unset("aws_lambda_permission.source_arn"))
    ],
    "The database has no public address": [
        Mutant("the database has a public address", _set("aws_rds_cluster_instance.publicly_accessible", to=True)),
        Mutant("the argument is not set", _unset("aws_rds_cluster_instance.publicly_accessible")),
    ],
    "Nothing else can be reached from the internet": [Mutant("a function's URL", _add("aws_lambda_function_url"))],
    # network
    "No rule lets in every address": [
        Mutant("IPv4", _add("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0")),
        Mutant("IPv6", _add("aws_vpc_security_group_ingress_rule", cidr_ipv6="::/0"), DEBUG),
        Mutant("within a group", _set("aws_security_group.ingress", [{"cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}])),
        Mutant(
            "a rule of the older resource type",
            _add("aws_security_group_rule", type="ingress", ipv6_cidr_blocks=["::/0"]),
        ),
    ],
    "No subnet gives out public addresses": [
        Mutant(
            "a subnet gives out public addresses",
            _set("aws_subnet.map_public_ip_on_launch", to=True, only="private[1]"),
        )
    ],
    "There is no gateway to the internet": [
        Mutant("NAT", _add("aws_nat_gateway")),
        Mutant("a gateway", _add("aws_internet_gateway"), DEBUG),
    ],
    "All traffic of the network is logged": [
        Mutant("only refused traffic", _set("aws_flow_log.traffic_type", "REJECT"))
    ],
    "Functions are in the network, except the listed ones": [
        Mutant("the API's function is not in the network", _unset("aws_lambda_function.vpc_config", only='["api"]')),
        Mutant(
            "the API's function has no subnet", _unset("aws_lambda_function.vpc_config.0.subnet_ids", only='["api"]')
        ),
        Mutant(
            "an unlisted function, with a name that starts like a listed name, is not in the network",
            _add("aws_lambda_function", function_name=f"{NAME}-production-authorizer-2"),
        ),
    ],
    "Functions in the network have a security group": [
        Mutant(
            "a function has no security group",
            _unset("aws_lambda_function.vpc_config.0.security_group_ids", only='["migrate"]'),
        )
    ],
    # permissions
    "No action with a wildcard is allowed on all resources": [
        Mutant("everything on everything", _allow(_ROLE_POLICY, Action="*", Resource="*")),
        Mutant(
            "a wildcard among other actions",
            _allow(_ROLE_POLICY, '["api"]', Action=["s3:GetObject", "s3:List*"], Resource=["arn:aws:s3:::a", "*"]),
            DEBUG,
        ),
        Mutant("every Put action of a service", _allow(_ROLE_POLICY, Action="s3:Put*", Resource="arn:aws:s3:::*")),
        Mutant("all actions except those of EC2", _allow(_ROLE_POLICY, NotAction="ec2:*", Resource="*")),
        Mutant(
            "everything of S3, in an inline policy", _set("aws_iam_role.inline_policy", [{"policy": _EVERYTHING_OF_S3}])
        ),
    ],
    "No role may change permissions": [
        Mutant(
            "a function changes roles",
            _allow(_ROLE_POLICY, Action="iam:PutRolePolicy", Resource="arn:aws:iam::123456789012:role/a"),
        ),
    ],
    "No role has a policy of AWS's own": [
        Mutant("a role is an administrator", _add("aws_iam_role_policy_attachment", policy_arn=_ADMINISTRATOR)),
        Mutant("a managed policy in the role", _set("aws_iam_role.managed_policy_arns", [_ADMINISTRATOR]), DEBUG),
    ],
    "Nobody has a permanent access key": [Mutant("a user has an access key", _add("aws_iam_access_key", user="a"))],
    "The database accepts logins by IAM": [
        Mutant(
            "the database accepts only passwords", _set("aws_rds_cluster.iam_database_authentication_enabled", to=False)
        )
    ],
    "AWS keeps the database's master password": [
        Mutant("Terraform keeps the password", _unset("aws_rds_cluster.manage_master_user_password"))
    ],
    # watching
    "Every log expires": [
        Mutant("a log never expires", _set("aws_cloudwatch_log_group.retention_in_days", 0, only='function["api"]')),
        Mutant("the retention is not set", _unset("aws_cloudwatch_log_group.retention_in_days"), DEBUG),
    ],
    "Every function writes to a log group of ours": [
        Mutant(
            "a function writes to a group that Lambda makes",
            _unset("aws_lambda_function.logging_config.0.log_group", '["migrate"]'),
        ),
        Mutant("the log group is unknown", _set("aws_lambda_function.logging_config.0.log_group", UNKNOWN)),
    ],
    "The API has an access log": [
        Mutant("the API has no access log", _unset("aws_api_gateway_stage.access_log_settings"))
    ],
    "Every alarm has a topic to notify": [
        Mutant("an alarm has no topic", _unset("aws_cloudwatch_metric_alarm.alarm_actions"), DEBUG),
        Mutant(
            "an alarm only stops a machine",
            _set("aws_cloudwatch_metric_alarm.alarm_actions", ["arn:aws:automate:eu-central-1:ec2:stop"]),
        ),
    ],
    "Every alarm of an environment is on": [
        Mutant("an alarm is off", _set("aws_cloudwatch_metric_alarm.actions_enabled", to=False, only="latency"))
    ],
    # production
    "The database is protected from deletion": [
        Mutant("the database is not protected", _set("aws_rds_cluster.deletion_protection", to=False))
    ],
    "Deleting the database leaves a snapshot": [
        Mutant("deleting leaves no snapshot", _set("aws_rds_cluster.skip_final_snapshot", to=True))
    ],
    "The database can be restored to any moment of the last two weeks": [
        Mutant("only the last week can be restored", _set("aws_rds_cluster.backup_retention_period", 7))
    ],
    "The user pool is protected from deletion": [
        Mutant("the user pool is not protected", _set("aws_cognito_user_pool.deletion_protection", "INACTIVE"))
    ],
    "A deleted key can be restored for a month": [
        Mutant("the key can be restored for a week", _set("aws_kms_key.deletion_window_in_days", 7))
    ],
}
