"""Convert a plan to the form that the scenarios of infra/policy read.

This module decides nothing: the scenarios say what is allowed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.checks.policy import pages
from tools.checks.policy.plans import Plan

Values = dict[str, Any]

UNKNOWN = "known after apply"

# The argument that holds a resource's name, if this argument is not `name`.
_NAMES = {
    "aws_cloudfront_distribution": "comment",
    "aws_cloudwatch_composite_alarm": "alarm_name",
    "aws_cloudwatch_dashboard": "dashboard_name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_cognito_user_pool_domain": "domain",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_rds_cluster_instance": "identifier",
    "aws_s3_bucket": "bucket",
}
# Resources of these types need no unique name, because they belong to a resource with a unique name.
_NAMED_WITHIN = {"aws_cognito_user_group", "aws_iam_role_policy", "aws_lambda_alias", "aws_route53_record"}
# Defaults that the real provider sets. The mocked provider sets no defaults.
_DEFAULTS: dict[str, Values] = {"aws_subnet": {"map_public_ip_on_launch": False}}
_IDENTITY_POLICIES = {"aws_iam_group_policy", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"}
_WITH_INLINE_RULES = {
    "aws_default_network_acl",
    "aws_default_security_group",
    "aws_network_acl",
    "aws_security_group",
}
_ADDRESSES = (
    "cidr_ipv4",
    "cidr_ipv6",
    "cidr_block",
    "cidr_blocks",
    "ipv6_cidr_block",
    "ipv6_cidr_blocks",
    "prefix_list_id",
    "prefix_list_ids",
)
# The argument with the name of the role that gets an attached policy.
_ROLES_OF_ATTACHED = {"aws_iam_role": "name", "aws_iam_role_policy_attachment": "role"}
_BUCKET_SETTINGS = {
    "aws_s3_bucket_ownership_controls": "ownership",
    "aws_s3_bucket_policy": "policy",
    "aws_s3_bucket_public_access_block": "public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration": "encryption",
    "aws_s3_bucket_versioning": "versioning",
}


@dataclass
class Resource:
    """A planned resource. Values that are null, empty or completely unknown are left out."""

    address: str
    type: str
    values: Values
    taggable: bool = False


def resources(plan: Plan, default_tags: dict[str, str]) -> list[Resource]:
    """Return the resources that a plan creates.

    Leave out arguments that are completely unknown. infra/ does not set them, or infra/modules/mocks lacks their
    resource. A mocked provider adds no default tags, so this function adds them.
    """
    found = []
    for each in plan["resource_changes"]:
        planned, unknown = each["change"]["after"], each["change"]["after_unknown"]
        if each["mode"] != "managed" or planned is None:
            continue
        values = {key: _known(planned.get(key), unknown.get(key)) for key in planned if unknown.get(key) is not True}
        values = {**_DEFAULTS.get(each["type"], {}), **_without_nothing(values)}
        taggable = "tags_all" in {**planned, **unknown}
        if taggable:
            values["tags_all"] = {**default_tags, **values.get("tags", {})}
        found.append(Resource(each["address"], each["type"], values, taggable))
    return found


def default_tags(main: str, workspace: str, owner: str) -> dict[str, str]:
    """Return the default tags of the providers in an environment's main.tf, or {} if a provider lacks them."""
    providers = re.findall(r'^provider "aws" \{$(.*?)^\}$', main, re.MULTILINE | re.DOTALL)
    tags = re.search(r"^locals \{\n  tags = \{$(.*?)^  \}$", main, re.MULTILINE | re.DOTALL)
    if (
        not providers
        or not tags
        or not all("  default_tags {\n    tags = local.tags\n  }" in each for each in providers)
    ):
        return {}
    known = {"terraform.workspace": workspace, "var.owner": owner}
    return {key: known.get(value, value.strip('"')) for key, value in re.findall(r"(\w+) += (.+)", tags[1])}


def readable(found: list[Resource]) -> dict[str, Any]:
    """Return a plan for terraform-compliance: the resources, and the facts that combine their values."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.0",
        "planned_values": {"root_module": {}},
        # Without a configuration, terraform-compliance mounts no resource into another. A mount would change values.
        "configuration": {"root_module": {}},
        "resource_changes": [
            {
                "address": each.address,
                "type": each.type,
                "mode": "managed",
                "name": each.address,
                "change": {"actions": ["create"], "after": each.values, "after_unknown": {}},
            }
            for each in [*(Resource(each.address, each.type, _mapped(each.values)) for each in found), *_facts(found)]
        ],
    }


def _facts(found: list[Resource]) -> Iterator[Resource]:
    """Combine values into resources of types that Terraform does not have, for scenarios about more than one value.

    terraform-compliance compares single values of single resources. These are the types:

    - `name`, `tags`: the name of a resource that has a name, and the tags of a resource that can have tags;
    - `permission`: an IAM statement's grants, as "<action> on <resource>"; an attached policy is "all of <policy> for
      <role>";
    - `access`: the principals to which a statement gives access to a resource or a role;
    - `statement`: the elements of a statement that allows something;
    - `ingress`, `egress`: the addresses that a network rule lets in or out, with one fact for a plan without rules;
    - `bucket`: a bucket, with the settings that Terraform keeps in other resources;
    - `content_security_policy`, `behavior`: see pages.py;
    - `inventory`: the types of all resources, and the addresses of all routes.
    """
    yield from _facts_of_all(found)
    for each in found:
        if (name := _name(each)) is not None:
            yield Resource(f"name of {each.address}", "name", {"value": name})
        if each.taggable:
            yield Resource(f"tags of {each.address}", "tags", each.values.get("tags_all", {}))
        for number, (kind, values) in enumerate(_statements(each), 1):
            yield Resource(f"statement {number} of {each.address}", kind, values)
        for number, (_, statement) in enumerate(_allowing(each), 1):
            yield Resource(
                f"allowing statement {number} of {each.address}", "statement", {"elements": sorted(statement)}
            )
        for direction in ("ingress", "egress"):
            for number, addresses in enumerate(_rules(each, direction), 1):
                yield Resource(f"{direction} {number} of {each.address}", direction, {"addresses": addresses})
        for number, (kind, values) in enumerate(pages.facts(each.type, each.values), 1):
            yield Resource(f"{kind} {number} of {each.address}", kind, values)
        if each.type == "aws_s3_bucket":
            yield Resource(f"bucket {each.address}", "bucket", _bucket(each, found))


def _facts_of_all(found: list[Resource]) -> Iterator[Resource]:
    routes = [each.address for each in found if each.type == "aws_route" or "route" in each.values]
    types = sorted({each.type for each in found})
    yield Resource("inventory", "inventory", {"types": types, "routes": routes or ["none"]})
    for direction in ("ingress", "egress"):
        yield Resource(f"no {direction}", direction, {"addresses": ["no address"]})


def _name(resource: Resource) -> str | None:
    if resource.type in _NAMED_WITHIN:
        return None
    name: str | None = resource.values.get(_NAMES.get(resource.type, "name"))
    return name or resource.values.get("tags_all", {}).get("Name")


def _statements(resource: Resource) -> Iterator[tuple[str, Values]]:
    values = resource.values
    if resource.type == "aws_lambda_permission":
        yield "access", {"principals": [values["principal"]]}
    attached = [*_listed(values.get("policy_arn")), *_listed(values.get("managed_policy_arns"))]
    if attached and resource.type.startswith("aws_iam_"):
        role = values.get(_ROLES_OF_ATTACHED.get(resource.type, ""), "others")
        yield "permission", {"grants": [f"all of {arn} for {role}" for arn in attached]}
    for kind, statement in _allowing(resource):
        yield kind, _grants(statement) if kind == "permission" else _principals(statement)


def _allowing(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each statement that allows something, with the type of its fact: `permission` or `access`."""
    values = resource.values
    kind = "permission" if resource.type in _IDENTITY_POLICIES else "access"
    documents = [("access", values.get("assume_role_policy")), (kind, values.get("policy"))]
    documents += [("permission", inline.get("policy")) for inline in values.get("inline_policy", [])]
    for kind, document in documents:
        yield from ((kind, statement) for statement in _document(document) if statement["Effect"] == "Allow")


def _document(policy: str | None) -> list[dict[str, Any]]:
    """Return the statements of a policy, or [] if the policy is missing or made up by a mocked provider."""
    return _listed(json.loads(policy)["Statement"]) if policy and policy.startswith("{") else []


def _grants(statement: dict[str, Any]) -> Values:
    """Return the grants of a statement. NotAction and NotResource count as everything."""
    on = _listed(statement.get("Resource", "*"))
    return {"grants": [f"{action} on {each}" for action in _listed(statement.get("Action", "*")) for each in on]}


def _principals(statement: dict[str, Any]) -> Values:
    principal = statement.get("Principal", "*")
    kinds = principal.values() if isinstance(principal, dict) else [principal]
    return {"principals": [each for kind in kinds for each in _listed(kind)]}


def _rules(resource: Resource, direction: str) -> Iterator[list[str]]:
    """Yield the addresses of each rule that lets traffic in or out. Terraform has several ways to write a rule."""
    values = resource.values
    rules = [values] if _is_rule(resource, direction) else []
    inline = values.get(direction, []) if resource.type in _WITH_INLINE_RULES else []
    for rule in [*rules, *(each for each in inline if each.get("action") != "deny")]:
        yield [address for key in _ADDRESSES for address in _listed(rule.get(key))] or ["no address"]


def _is_rule(resource: Resource, direction: str) -> bool:
    values = resource.values
    if resource.type == "aws_network_acl_rule":
        lets_out: bool = values.get("egress", False)
        return lets_out == (direction == "egress") and values.get("rule_action") != "deny"
    if resource.type == "aws_security_group_rule":
        return bool(values.get("type") == direction)
    return resource.type == f"aws_vpc_security_group_{direction}_rule"


def _bucket(bucket: Resource, found: list[Resource]) -> Values:
    """Return a bucket's settings. In Terraform, each setting is a resource that somebody could forget."""
    identifiers = {bucket.values.get("id"), bucket.values.get("bucket")} - {None}
    values: Values = {}
    for each in found:
        if each.type in _BUCKET_SETTINGS and each.values.get("bucket") in identifiers:
            values[_BUCKET_SETTINGS[each.type]] = {key: value for key, value in each.values.items() if key != "bucket"}
    for statement in _document(values.pop("policy", {}).get("policy")):
        encrypted = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if statement["Effect"] == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"}) and encrypted == "false":
            values["refuses_what_is_not_encrypted"] = True
    return values


def _known(planned: Any, unknown: Any) -> Any:
    """Return a value, with UNKNOWN in place of its unknown parts."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict) and unknown:
        return {key: _known((planned or {}).get(key), unknown.get(key)) for key in {**(planned or {}), **unknown}}
    if isinstance(unknown, list) and unknown:
        return [_known(each, part) for each, part in zip(planned or [None] * len(unknown), unknown, strict=True)]
    return planned


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value if each is not None]
    return value


def _mapped(values: Values) -> Values:
    """Return a resource's values for the scenarios. Leave out policies. Add parameters by name, and the TLS version."""
    values = {key: value for key, value in values.items() if key not in ("id", "policy", "assume_role_policy", "body")}
    if "parameter" in values:
        values["parameters"] = {each["name"]: each["value"] for each in values["parameter"]}
    for certificate in values.get("viewer_certificate", []):
        own = not certificate.get("cloudfront_default_certificate")
        # With CloudFront's own certificate, CloudFront chooses the TLS version and reports TLSv1.
        values["tls"] = certificate.get("minimum_protocol_version") if own else "of CloudFront's own certificate"
    return values


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
