"""List the mutants: changed plans that violate a scenario. `sources.py` lists changed sources.

Mutants show that a scenario finds violations. `make policy` fails if a scenario has no mutant in either list, or passes
with a mutant.
"""

import json

from chalicelib import NAME
from tools.checks.policy.changes import ACCOUNT, DEBUG, Mutant, add, allow, assign, origin_of_api, remove, unset
from tools.checks.policy.facts import UNKNOWN

# An example of the values that a mocked provider makes up for arguments that the sources do not set.
MADE_UP = "eq0e3k59"

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_BLOCK = "aws_s3_bucket_public_access_block"
_DISTRIBUTION = "aws_cloudfront_distribution"
_PARAMETERS = "aws_rds_cluster_parameter_group.parameter"
_ROLE_POLICY = "aws_iam_role_policy.policy"
_ROLE = "arn:aws:iam::123456789012:role"
_POLICY = "arn:aws:iam::123456789012:policy"
_OLD_TLS = {
    "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
    "minimum_protocol_version": "TLSv1",
}
_EVERYTHING_OF_S3 = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})

MUTANTS = {
    # names_and_tags
    "Every name starts with the environment and the workspace": [
        Mutant("another environment's name", assign("aws_lambda_function.function_name", f"{NAME}-preproduction-api")),
        Mutant(
            "the environment's name in a workspace",
            assign("aws_cloudwatch_event_rule.name", f"{NAME}-production-sweep"),
            DEBUG,
        ),
        Mutant("a longer environment's name", assign("aws_s3_bucket.bucket", f"{NAME}-production2")),
    ],
    "Everything is tagged with its system": [
        Mutant("no tag", unset("aws_rds_cluster.tags_all.system")),
        Mutant("no tags at all", unset("aws_kms_key.tags_all")),
    ],
    "Everything is tagged with its environment": [
        Mutant("another environment", assign("aws_kms_key.tags_all.environment", "development"))
    ],
    "Everything is tagged with its workspace": [
        Mutant("the environment itself", assign("aws_rds_cluster.tags_all.workspace", "default"), DEBUG)
    ],
    "Everything is tagged with its owner": [Mutant("no owner", unset("aws_sns_topic.tags_all.owner"))],
    # encryption_at_rest
    "The database is encrypted": [
        Mutant("the database is not encrypted", assign("aws_rds_cluster.storage_encrypted", to=False)),
        Mutant("the encryption is not set", unset("aws_rds_cluster.storage_encrypted")),
    ],
    "The database is encrypted with the environment's key": [
        Mutant("no key", unset("aws_rds_cluster.kms_key_id")),
        Mutant("a key that the mock makes up", assign("aws_rds_cluster.kms_key_id", MADE_UP)),
    ],
    "The database's master password is encrypted with the environment's key": [
        Mutant("no key", unset("aws_rds_cluster.master_user_secret_kms_key_id"), DEBUG),
        Mutant("a key that the mock makes up", assign("aws_rds_cluster.master_user_secret_kms_key_id", MADE_UP)),
    ],
    "Performance Insights is encrypted with the environment's key": [
        Mutant("no key", unset("aws_rds_cluster_instance.performance_insights_kms_key_id"))
    ],
    "Logs are encrypted with the environment's key": [
        Mutant("no key for a function's log", unset("aws_cloudwatch_log_group.kms_key_id", only='function["api"]')),
        Mutant(
            "no key for the log of the API's firewall",
            unset("aws_cloudwatch_log_group.kms_key_id", only="firewall_api[0].aws_cloudwatch_log_group.this"),
        ),
    ],
    "The topics of the alarms are encrypted with the environment's keys": [
        Mutant("no key", unset("aws_sns_topic.kms_master_key_id"))
    ],
    "Every bucket is encrypted": [
        Mutant("a bucket is not encrypted", remove("aws_s3_bucket_server_side_encryption_configuration")),
        Mutant("another bucket is not encrypted", add("aws_s3_bucket", bucket=f"{NAME}-production-more")),
    ],
    "Keys are rotated": [Mutant("a key is not rotated", assign("aws_kms_key.enable_key_rotation", to=False))],
    # encryption_in_transit
    "The database accepts only TLS connections": [
        Mutant("connections without TLS are accepted", assign(_PARAMETERS, [{"name": "rds.force_ssl", "value": "0"}])),
        Mutant("the parameter is not set", assign(_PARAMETERS, [{"name": "log_statement", "value": "ddl"}])),
    ],
    "Every bucket refuses requests without TLS": [Mutant("a bucket has no policy", remove("aws_s3_bucket_policy"))],
    "CloudFront serves nothing over HTTP": [
        Mutant(
            "files over HTTP", assign(f"{_DISTRIBUTION}.default_cache_behavior.0.viewer_protocol_policy", "allow-all")
        )
    ],
    "CloudFront refuses API calls over HTTP, and does not redirect them": [
        Mutant(
            "API calls over HTTP are redirected",
            assign(f"{_DISTRIBUTION}.ordered_cache_behavior.0.viewer_protocol_policy", "redirect-to-https"),
        ),
    ],
    "CloudFront requires TLS 1.2 or later on a domain of ours": [
        Mutant("TLS 1.0", assign(f"{_DISTRIBUTION}.viewer_certificate", [_OLD_TLS]))
    ],
    "CloudFront calls the API only over HTTPS": [
        Mutant(
            "CloudFront calls the API over HTTP if the viewer uses HTTP",
            origin_of_api(origin_protocol_policy="match-viewer"),
        )
    ],
    "CloudFront calls the API with TLS 1.2 or later": [
        Mutant("TLS 1.1", origin_of_api(origin_ssl_protocols=["TLSv1.2", "TLSv1.1"]))
    ],
    # nothing_public
    "No bucket accepts a public ACL": [
        Mutant("a bucket accepts a public ACL", assign(f"{_BLOCK}.block_public_acls", to=False))
    ],
    "No bucket accepts a public policy": [
        Mutant("a bucket accepts a public policy", assign(f"{_BLOCK}.block_public_policy", to=False))
    ],
    "Every bucket ignores a public ACL that it has": [
        Mutant("a bucket uses its public ACL", assign(f"{_BLOCK}.ignore_public_acls", to=False))
    ],
    "Every bucket ignores a public policy that it has": [Mutant("nothing blocks public policies", remove(_BLOCK))],
    "Nobody gets access without being named": [
        Mutant(
            "everybody reads the bucket",
            allow("aws_s3_bucket_policy.policy", Principal="*", Action="s3:GetObject", Resource="*"),
        ),
        Mutant(
            "every account uses the key",
            allow("aws_kms_key.policy", Principal={"AWS": ["*"]}, Action="kms:Decrypt", Resource="*"),
            DEBUG,
        ),
        Mutant(
            "everybody may assume a function's role",
            allow("aws_iam_role.assume_role_policy", Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        ),
        Mutant("everybody calls a function", assign("aws_lambda_permission.principal", "*")),
    ],
    "A service may call a function only for one of our resources": [
        Mutant("any API may call a function", unset("aws_lambda_permission.source_arn"))
    ],
    "The database has no public address": [
        Mutant("the database has a public address", assign("aws_rds_cluster_instance.publicly_accessible", to=True)),
        Mutant("the argument is not set", unset("aws_rds_cluster_instance.publicly_accessible")),
    ],
    "Nothing else can be reached from the internet": [Mutant("a function's URL", add("aws_lambda_function_url"))],
    # network
    "Rules let in traffic only from private addresses": [
        Mutant("IPv4", add("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0")),
        Mutant("IPv6", add("aws_vpc_security_group_ingress_rule", cidr_ipv6="::/0"), DEBUG),
        Mutant("half of all addresses", add("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/1")),
        Mutant("more than the private addresses", add("aws_vpc_security_group_ingress_rule", cidr_ipv4="172.0.0.0/8")),
        Mutant("within a group", assign("aws_security_group.ingress", [{"cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}])),
        Mutant(
            "a rule of the older resource type",
            add("aws_security_group_rule", type="ingress", ipv6_cidr_blocks=["::/0"]),
        ),
        Mutant("a network ACL", add("aws_network_acl_rule", rule_action="allow", cidr_block="0.0.0.0/0")),
    ],
    "Rules let out traffic only to private addresses": [
        Mutant("IPv4", add("aws_vpc_security_group_egress_rule", cidr_ipv4="0.0.0.0/0"), DEBUG),
        Mutant(
            "a list of addresses", add("aws_vpc_security_group_egress_rule", prefix_list_id="pl-1"), "production-live"
        ),
        Mutant("an unknown address", add("aws_vpc_security_group_egress_rule", cidr_ipv4=UNKNOWN)),
        Mutant(
            "a network ACL",
            add("aws_network_acl_rule", egress=True, rule_action="allow", ipv6_cidr_block="::/0"),
        ),
    ],
    "There is no route out of the network": [
        Mutant("a route", add("aws_route", destination_cidr_block="0.0.0.0/0"), DEBUG),
        Mutant("in the default table", add("aws_default_route_table", route=[{"ipv6_cidr_block": "::/0"}])),
    ],
    "No subnet gives out public addresses": [
        Mutant(
            "a subnet gives out public addresses",
            assign("aws_subnet.map_public_ip_on_launch", to=True, only="private[1]"),
        )
    ],
    "There is no gateway to the internet": [
        Mutant("NAT", add("aws_nat_gateway")),
        Mutant("a gateway", add("aws_internet_gateway"), DEBUG),
    ],
    "All traffic of the network is logged": [
        Mutant("only refused traffic", assign("aws_flow_log.traffic_type", "REJECT"))
    ],
    "Functions are in the network, except the listed ones": [
        Mutant("the API's function is not in the network", unset("aws_lambda_function.vpc_config", only='["api"]')),
        Mutant(
            "the API's function has no subnet", unset("aws_lambda_function.vpc_config.0.subnet_ids", only='["api"]')
        ),
        Mutant(
            "an unlisted function, with a name that starts like a listed name, is not in the network",
            add("aws_lambda_function", function_name=f"{NAME}-production-authorizer-2"),
        ),
    ],
    "Functions in the network have a security group": [
        Mutant(
            "a function has no security group",
            unset("aws_lambda_function.vpc_config.0.security_group_ids", only='["migrate"]'),
        )
    ],
    # pages
    "Pages load nothing that the content security policy does not list": [
        Mutant("other headers without a policy", add("aws_cloudfront_response_headers_policy")),
    ],
    # permissions
    "No permission has a wildcard in its action": [
        Mutant("everything on everything", allow(_ROLE_POLICY, Action="*", Resource="*")),
        Mutant(
            "a wildcard among other actions",
            allow(_ROLE_POLICY, '["api"]', Action=["s3:GetObject", "s3:List*"], Resource=["arn:aws:s3:::a", "*"]),
            DEBUG,
        ),
        Mutant("a wildcard for one letter", allow(_ROLE_POLICY, Action="s3:PutObjec?", Resource="arn:aws:s3:::a/*")),
        Mutant("all actions except those of EC2", allow(_ROLE_POLICY, NotAction="ec2:*", Resource="*")),
        Mutant(
            "everything of S3, in an inline policy",
            assign("aws_iam_role.inline_policy", [{"policy": _EVERYTHING_OF_S3}]),
        ),
    ],
    "No statement allows everything except a list": [
        Mutant(
            "all actions but one", allow(_ROLE_POLICY, NotAction="iam:CreateUser", Resource="arn:aws:s3:::a"), DEBUG
        ),
        Mutant(
            "all resources but one", allow("aws_iam_policy.policy", NotResource="*", Action="s3:GetObject"), ACCOUNT
        ),
    ],
    "No role may act on all resources, except for traces and network interfaces": [
        Mutant("all buckets", allow(_ROLE_POLICY, Action="s3:GetObject", Resource="arn:aws:s3:::*")),
        Mutant("all databases", allow(_ROLE_POLICY, Action="rds-db:connect", Resource="*"), DEBUG),
    ],
    "No role of an environment may change permissions": [
        Mutant("a function changes roles", allow(_ROLE_POLICY, Action="iam:PutRolePolicy", Resource=f"{_ROLE}/a")),
        Mutant("a function uses another role", allow(_ROLE_POLICY, Action="sts:AssumeRole", Resource=f"{_ROLE}/a")),
    ],
    "No role of an account may use the data or secrets of all resources": [
        Mutant(f"{action} on everything", allow("aws_iam_policy.policy", Action=action, Resource="*"), ACCOUNT)
        for action in ("secretsmanager:GetSecretValue", "kms:Decrypt", "rds-db:connect", "lambda:UpdateFunctionCode")
    ],
    "A role of an account may use or change only the roles of environments": [
        Mutant(
            f"{action} on {role}", allow("aws_iam_policy.policy", Action=action, Resource=f"{_ROLE}/{role}"), ACCOUNT
        )
        for action, role in (
            ("iam:PassRole", "*"),
            ("iam:PutRolePolicy", f"{NAME}-*"),
            ("iam:CreateRole", f"{NAME}-account-apply-development"),
            ("sts:AssumeRole", f"{NAME}-account-administrator"),
        )
    ],
    "No role has a policy of AWS's own, except API Gateway's for logs and the administrators'": [
        Mutant("a role is an administrator", add("aws_iam_role_policy_attachment", policy_arn=_ADMINISTRATOR)),
        Mutant("a managed policy in the role", assign("aws_iam_role.managed_policy_arns", [_ADMINISTRATOR]), DEBUG),
        Mutant(
            "an attachment has the administrators' name",
            add("aws_iam_policy_attachment", name=f"{NAME}-account-administrator", policy_arn=_ADMINISTRATOR),
            ACCOUNT,
        ),
        Mutant(
            "API Gateway's role is an administrator",
            assign("aws_iam_role_policy_attachment.policy_arn", _ADMINISTRATOR, ".apigateway"),
            ACCOUNT,
        ),
    ],
    "Every role has the boundary of its environment and kind": [
        Mutant("no boundary", unset("aws_iam_role.permissions_boundary"), DEBUG),
        Mutant(
            "the boundary of another environment",
            assign("aws_iam_role.permissions_boundary", f"{_POLICY}/{NAME}-account-boundary-preproduction"),
        ),
        Mutant(
            "the environment's boundary in a debug workspace",
            assign("aws_iam_role.permissions_boundary", f"{_POLICY}/{NAME}-account-boundary-production"),
            DEBUG,
        ),
    ],
    "Nobody has a permanent access key": [Mutant("a user has an access key", add("aws_iam_access_key", user="a"))],
    "The database accepts logins by IAM": [
        Mutant(
            "the database accepts only passwords",
            assign("aws_rds_cluster.iam_database_authentication_enabled", to=False),
        )
    ],
    "AWS keeps the database's master password": [
        Mutant("Terraform keeps the password", unset("aws_rds_cluster.manage_master_user_password"))
    ],
    # watching
    "Every log expires": [
        Mutant("a log never expires", assign("aws_cloudwatch_log_group.retention_in_days", 0, only='function["api"]')),
        Mutant("the retention is not set", unset("aws_cloudwatch_log_group.retention_in_days"), DEBUG),
    ],
    "Every function writes to a log group of ours": [
        Mutant(
            "a function writes to a group that Lambda makes",
            unset("aws_lambda_function.logging_config.0.log_group", '["migrate"]'),
        ),
        Mutant("the log group is unknown", assign("aws_lambda_function.logging_config.0.log_group", UNKNOWN)),
    ],
    "The API has an access log": [
        Mutant("the API has no access log", unset("aws_api_gateway_stage.access_log_settings"))
    ],
    "Every composite alarm has a topic to notify": [
        Mutant("an alarm has no topic", unset("aws_cloudwatch_composite_alarm.alarm_actions")),
        Mutant(
            "an alarm only stops a machine",
            assign("aws_cloudwatch_composite_alarm.alarm_actions", ["arn:aws:automate:eu-central-1:ec2:stop"]),
        ),
    ],
    "Every composite alarm of production is on": [
        Mutant(
            "an alarm is off", assign("aws_cloudwatch_composite_alarm.actions_enabled", to=False, only="us_east_1[0]")
        )
    ],
    # production
    "The database is protected from deletion": [
        Mutant("the database is not protected", assign("aws_rds_cluster.deletion_protection", to=False))
    ],
    "Deleting the database leaves a snapshot": [
        Mutant("deleting leaves no snapshot", assign("aws_rds_cluster.skip_final_snapshot", to=True))
    ],
    "The database can be restored to any moment of the last two weeks": [
        Mutant("only the last week can be restored", assign("aws_rds_cluster.backup_retention_period", 7))
    ],
    "The user pool is protected from deletion": [
        Mutant("the user pool is not protected", assign("aws_cognito_user_pool.deletion_protection", "INACTIVE"))
    ],
    "A deleted key can be restored for a month": [
        Mutant("the key can be restored for a week", assign("aws_kms_key.deletion_window_in_days", 7))
    ],
}
