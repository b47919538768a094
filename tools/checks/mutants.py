"""What the policies must catch: for every scenario at least one plan that violates it, and nothing else of note.

A policy that nothing can violate says nothing. So a scenario without a mutant fails `make policy`, and so does a mutant
that its scenario lets through.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.checks.readable import Resource

Resources = list[Resource]
PRODUCTION, DEBUG = "production", "production-incident"


@dataclass(frozen=True)
class Mutant:
    """A plan by its name, what is changed in it, and the scenario that must see it."""

    scenario: str
    what: str
    change: Callable[[Resources], None]
    plan: str = PRODUCTION


def _with(kind: str, *path: str | int, to: Any, only: str = "") -> Callable[[Resources], None]:
    """One resource of a type, the first whose address ends with `only`, says something else somewhere."""

    def change(resources: Resources) -> None:
        values: Any = _one(resources, kind, only).values
        for step in path[:-1]:
            values = values[step]
        values[path[-1]] = to

    return change


def _without(kind: str, *path: str | int, only: str = "") -> Callable[[Resources], None]:
    """One resource of a type does not say something."""

    def change(resources: Resources) -> None:
        values: Any = _one(resources, kind, only).values
        for step in path[:-1]:
            values = values[step]
        del values[path[-1]]

    return change


def _gone(kind: str) -> Callable[[Resources], None]:
    """One resource of a type is not there."""

    def change(resources: Resources) -> None:
        resources.remove(_one(resources, kind))

    return change


def _more(kind: str, **values: Any) -> Callable[[Resources], None]:
    """There is one resource more."""

    def change(resources: Resources) -> None:
        resources.append(Resource(f"{kind}.mutant", kind, values))

    return change


def _saying(kind: str, key: str, only: str = "", **statement: Any) -> Callable[[Resources], None]:
    """A policy has a statement more."""

    def change(resources: Resources) -> None:
        values = _one(resources, kind, only).values
        document = json.loads(values[key])
        document["Statement"].append({"Effect": "Allow", **statement})
        values[key] = json.dumps(document)

    return change


def _one(resources: Resources, kind: str, only: str = "") -> Resource:
    return next(each for each in resources if each.type == kind and each.address.endswith(only))


def _asking(**settings: Any) -> Callable[[Resources], None]:
    """CloudFront asks the API in another way."""

    def change(resources: Resources) -> None:
        origins = _one(resources, _DISTRIBUTION).values["origin"]
        next(each for each in origins if "custom_origin_config" in each)["custom_origin_config"][0].update(settings)

    return change


_BLOCK = "aws_s3_bucket_public_access_block"
_DISTRIBUTION = "aws_cloudfront_distribution"

MUTANTS = [
    # names_and_tags
    Mutant(
        "Every name starts from the environment and the workspace",
        "a function is named after another environment",
        _with("aws_lambda_function", "function_name", to="slipway-preproduction-api"),
    ),
    Mutant(
        "Every name starts from the environment and the workspace",
        "a workspace's topic is named like its environment's",
        _with("aws_sns_topic", "name", to="slipway-production-alarms"),
        DEBUG,
    ),
    Mutant(
        "Every name starts from the environment and the workspace",
        "a name goes on where the environment's ends",
        _with("aws_s3_bucket", "bucket", to="slipway-production2-site"),
    ),
    Mutant("Everything is tagged with its system", "no tag", _without("aws_rds_cluster", "tags_all", "system")),
    Mutant("Everything is tagged with its system", "no tags at all", _without("aws_kms_key", "tags_all")),
    Mutant(
        "Everything is tagged with its environment",
        "the tag of another",
        _with("aws_kms_key", "tags_all", "environment", to="development"),
    ),
    Mutant(
        "Everything is tagged with its workspace",
        "the tag of the environment itself",
        _with("aws_rds_cluster", "tags_all", "workspace", to="default"),
        DEBUG,
    ),
    Mutant(
        "Everything is tagged with somebody who answers for it",
        "nobody",
        _without("aws_sns_topic", "tags_all", "owner"),
    ),
    # encryption_at_rest
    Mutant("The database is encrypted", "it is not", _with("aws_rds_cluster", "storage_encrypted", to=False)),
    Mutant("The database is encrypted", "nothing is said", _without("aws_rds_cluster", "storage_encrypted")),
    Mutant("The database is encrypted with the environment's key", "no key", _without("aws_rds_cluster", "kms_key_id")),
    Mutant(
        "The password of the database's master is encrypted with the environment's key",
        "no key",
        _without("aws_rds_cluster", "master_user_secret_kms_key_id"),
        DEBUG,
    ),
    Mutant(
        "What is kept of statements for analysis is encrypted with the environment's key",
        "no key",
        _without("aws_rds_cluster_instance", "performance_insights_kms_key_id"),
    ),
    Mutant(
        "Logs are encrypted with the environment's key",
        "no key for a function's",
        _without("aws_cloudwatch_log_group", "kms_key_id", only='function["api"]'),
    ),
    Mutant(
        "Logs are encrypted with the environment's key",
        "no key for the firewall's before the API",
        _without("aws_cloudwatch_log_group", "kms_key_id", only="firewall_api[0].aws_cloudwatch_log_group.this"),
    ),
    Mutant(
        "What alarms say is encrypted with the environment's key",
        "no key",
        _without("aws_sns_topic", "kms_master_key_id"),
    ),
    Mutant("Every bucket is encrypted", "it is not", _gone("aws_s3_bucket_server_side_encryption_configuration")),
    Mutant("Every bucket is encrypted", "another one is not", _more("aws_s3_bucket", bucket="slipway-production-more")),
    Mutant("Keys are rotated", "they are not", _with("aws_kms_key", "enable_key_rotation", to=False)),
    # encryption_in_transit
    Mutant(
        "The database takes connections by TLS alone",
        "it takes others",
        _with("aws_rds_cluster_parameter_group", "parameter", to=[{"name": "rds.force_ssl", "value": "0"}]),
    ),
    Mutant(
        "The database takes connections by TLS alone",
        "nothing is said",
        _with("aws_rds_cluster_parameter_group", "parameter", to=[{"name": "log_statement", "value": "ddl"}]),
    ),
    Mutant("Every bucket refuses what is not encrypted", "it does not", _gone("aws_s3_bucket_policy")),
    Mutant(
        "CloudFront answers by HTTPS alone",
        "files by HTTP too",
        _with(_DISTRIBUTION, "default_cache_behavior", 0, "viewer_protocol_policy", to="allow-all"),
    ),
    Mutant(
        "A token never travels to CloudFront in the clear, to be redirected afterwards",
        "it is redirected",
        _with(_DISTRIBUTION, "ordered_cache_behavior", 0, "viewer_protocol_policy", to="redirect-to-https"),
    ),
    Mutant(
        "CloudFront takes TLS 1.2 or later for a domain of ours",
        "TLS 1.0",
        _with(
            _DISTRIBUTION,
            "viewer_certificate",
            to=[
                {
                    "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
                    "minimum_protocol_version": "TLSv1",
                }
            ],
        ),
    ),
    Mutant(
        "CloudFront asks the API by HTTPS alone",
        "as it was asked",
        _asking(origin_protocol_policy="match-viewer"),
    ),
    Mutant(
        "CloudFront asks the API by TLS 1.2 or later",
        "TLS 1.1",
        _asking(origin_ssl_protocols=["TLSv1.2", "TLSv1.1"]),
    ),
    # nothing_public
    Mutant("No bucket takes public access lists", "it does", _with(_BLOCK, "block_public_acls", to=False)),
    Mutant("No bucket takes a public policy", "it does", _with(_BLOCK, "block_public_policy", to=False)),
    Mutant(
        "No bucket heeds a public access list that it has", "it does", _with(_BLOCK, "ignore_public_acls", to=False)
    ),
    Mutant("No bucket heeds a public policy that it has", "nothing blocks it", _gone(_BLOCK)),
    Mutant(
        "Nobody is let in without being named",
        "everybody reads the bucket",
        _saying("aws_s3_bucket_policy", "policy", Principal="*", Action="s3:GetObject", Resource="*"),
    ),
    Mutant(
        "Nobody is let in without being named",
        "every account may use the key",
        _saying("aws_kms_key", "policy", Principal={"AWS": ["*"]}, Action="kms:Decrypt", Resource="*"),
        DEBUG,
    ),
    Mutant(
        "Nobody is let in without being named",
        "everybody may be a function",
        _saying("aws_iam_role", "assume_role_policy", Principal={"AWS": "*"}, Action="sts:AssumeRole"),
    ),
    Mutant(
        "Nobody is let in without being named",
        "everybody calls a function",
        _with("aws_lambda_permission", "principal", to="*"),
    ),
    Mutant(
        "A service calls functions for one of our resources alone",
        "for anybody's API",
        _without("aws_lambda_permission", "source_arn"),
    ),
    Mutant(
        "The database has no public address",
        "it has",
        _with("aws_rds_cluster_instance", "publicly_accessible", to=True),
    ),
    Mutant("Nothing else is there that the internet could reach", "a function's URL", _more("aws_lambda_function_url")),
    # network
    Mutant(
        "Nobody is let in from everywhere",
        "a rule of its own, IPv4",
        _more("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0"),
    ),
    Mutant(
        "Nobody is let in from everywhere",
        "a rule of its own, IPv6",
        _more("aws_vpc_security_group_ingress_rule", cidr_ipv6="::/0"),
        DEBUG,
    ),
    Mutant(
        "Nobody is let in from everywhere",
        "a rule within the group",
        _with("aws_security_group", "ingress", to=[{"cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"], "from_port": 443}]),
    ),
    Mutant(
        "Nobody is let in from everywhere",
        "a rule as it was once written",
        _more("aws_security_group_rule", type="ingress", ipv6_cidr_blocks=["::/0"]),
    ),
    Mutant(
        "No address is public for being in a subnet",
        "it is",
        _with("aws_subnet", "map_public_ip_on_launch", to=True, only="private[1]"),
    ),
    Mutant("There is no gateway to the internet", "NAT", _more("aws_nat_gateway")),
    Mutant("There is no gateway to the internet", "a gateway", _more("aws_internet_gateway"), DEBUG),
    Mutant(
        "The traffic of the network is logged",
        "what was refused alone",
        _with("aws_flow_log", "traffic_type", to="REJECT"),
    ),
    Mutant(
        "Functions are in private subnets, except the listed ones",
        "the API's is not",
        _without("aws_lambda_function", "vpc_config", only='["api"]'),
    ),
    Mutant(
        "Functions are in private subnets, except the listed ones",
        "one more, whose name starts like a listed one's, is not",
        _more("aws_lambda_function", function_name="slipway-production-authorizer-2"),
    ),
    Mutant(
        "Functions in the network have security groups of ours",
        "one has none",
        _without("aws_lambda_function", "vpc_config", 0, "security_group_ids", only='["migrate"]'),
    ),
    # permissions
    Mutant(
        "No wildcard among the actions where the resource is everything",
        "everything on everything",
        _saying("aws_iam_role_policy", "policy", Action="*", Resource="*"),
    ),
    Mutant(
        "No wildcard among the actions where the resource is everything",
        "a wildcard among others",
        _saying(
            "aws_iam_role_policy",
            "policy",
            only='["api"]',
            Action=["s3:GetObject", "s3:List*"],
            Resource=["arn:aws:s3:::a", "*"],
        ),
        DEBUG,
    ),
    Mutant(
        "No wildcard among the actions where the resource is everything",
        "everything of a service",
        _saying("aws_iam_role_policy", "policy", Action="s3:Put*", Resource="arn:aws:s3:::*"),
    ),
    Mutant(
        "No wildcard among the actions where the resource is everything",
        "all but something",
        _saying("aws_iam_role_policy", "policy", NotAction="ec2:*", Resource="*"),
    ),
    Mutant(
        "No wildcard among the actions where the resource is everything",
        "within the role",
        _with(
            "aws_iam_role",
            "inline_policy",
            to=[{"policy": json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})}],
        ),
    ),
    Mutant(
        "Nothing may change what others may do",
        "a function changes roles",
        _saying(
            "aws_iam_role_policy", "policy", Action="iam:PutRolePolicy", Resource="arn:aws:iam::123456789012:role/a"
        ),
    ),
    Mutant(
        "No policy of AWS's own, which allows more with every year",
        "administrator",
        _more("aws_iam_role_policy_attachment", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    Mutant(
        "No policy of AWS's own, which allows more with every year",
        "administrator, within the role",
        _with("aws_iam_role", "managed_policy_arns", to=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        DEBUG,
    ),
    Mutant("Nobody has a key that lasts", "a user has", _more("aws_iam_access_key", user="a")),
    Mutant(
        "People and functions log in to the database by IAM",
        "by password alone",
        _with("aws_rds_cluster", "iam_database_authentication_enabled", to=False),
    ),
    Mutant(
        "The master's password is nobody's to know",
        "it is Terraform's",
        _without("aws_rds_cluster", "manage_master_user_password"),
    ),
    # watching
    Mutant(
        "Every log ends some day",
        "it does not",
        _with("aws_cloudwatch_log_group", "retention_in_days", to=0, only='function["api"]'),
    ),
    Mutant(
        "Every log ends some day", "nothing is said", _without("aws_cloudwatch_log_group", "retention_in_days"), DEBUG
    ),
    Mutant(
        "Every function logs into a group of ours",
        "into one that Lambda makes",
        _without("aws_lambda_function", "logging_config", 0, "log_group", only='["migrate"]'),
    ),
    Mutant(
        "The API keeps a log of who called", "it does not", _without("aws_api_gateway_stage", "access_log_settings")
    ),
    Mutant(
        "Every alarm has an action", "one has none", _without("aws_cloudwatch_metric_alarm", "alarm_actions"), DEBUG
    ),
    Mutant(
        "Every alarm has an action",
        "one stops a machine, and tells nobody",
        _with("aws_cloudwatch_metric_alarm", "alarm_actions", to=["arn:aws:automate:eu-central-1:ec2:stop"]),
    ),
    Mutant(
        "Every alarm of an environment acts",
        "one is silenced",
        _with("aws_cloudwatch_metric_alarm", "actions_enabled", to=False, only="latency"),
    ),
    # production
    Mutant(
        "The database refuses to be deleted", "it does not", _with("aws_rds_cluster", "deletion_protection", to=False)
    ),
    Mutant(
        "The database leaves a snapshot behind when it is deleted after all",
        "it does not",
        _with("aws_rds_cluster", "skip_final_snapshot", to=True),
    ),
    Mutant(
        "The database can be restored to any moment of two weeks",
        "of one",
        _with("aws_rds_cluster", "backup_retention_period", to=7),
    ),
    Mutant(
        "Who signs in is not forgotten",
        "nobody is kept",
        _with("aws_cognito_user_pool", "deletion_protection", to="INACTIVE"),
    ),
    Mutant(
        "A key that was deleted can be had back for a month",
        "for a week",
        _with("aws_kms_key", "deletion_window_in_days", to=7),
    ),
]
