"""A plan, as the policies read it.

terraform-compliance compares single values of single resources, and passes over what is not known before an apply. So
what a rule is about is put together here, and written as resources of types that Terraform does not have:

- `name`, `tags`: what a resource is called, and how it is tagged; one for each that has a name, or may have tags;
- `permission`: a statement by which IAM allows something, as sentences "<action> on <resource>", or a policy that is
  attached whole, as "all of <policy>";
- `access`: a statement by which a resource lets somebody in, with its principals;
- `ingress`: a rule by which a network lets somebody in, with its sources;
- `bucket`: a bucket with what other resources configure of it;
- `inventory`: the types of all resources, for what there must be none of.

Nothing decides here: what is allowed, the features say.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.checkout import ToolError

# Where a name is, if it is not `name`.
_NAMES = {
    "aws_cloudfront_distribution": "comment",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_cognito_user_pool_domain": "domain",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_rds_cluster_instance": "identifier",
    "aws_s3_bucket": "bucket",
}
# Named within something that has a name of its own.
_NAMED_WITHIN = {
    "aws_cognito_user_group",
    "aws_iam_role_policy",
    "aws_lambda_alias",
    "aws_route53_record",
}
# Where the sources do not say them, AWS does: unknown before the first apply, known after it, and nobody's decision.
_FILLED_BY_AWS = {"name", "policy"}
_IDENTITY_POLICIES = {"aws_iam_group_policy", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"}
_BUCKET_SETTINGS = {
    "aws_s3_bucket_ownership_controls": "ownership",
    "aws_s3_bucket_policy": "policy",
    "aws_s3_bucket_public_access_block": "public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration": "encryption",
    "aws_s3_bucket_versioning": "versioning",
}


@dataclass
class Resource:
    """What will be there after the apply. Values that are null or empty are left out."""

    address: str
    type: str
    values: dict[str, Any]
    taggable: bool = False


@dataclass(frozen=True)
class Target:
    """What a plan is of: an environment, or a workspace of one."""

    name: str
    environment: str
    workspace: str
    production: bool
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def without(self) -> list[str]:
        """Tags of the scenarios that are about what this target has not."""
        itself, purpose = self.workspace == "default", self.variables.get("workspace_purpose")
        has = {
            "environment": itself,
            "production": itself and self.production,
            "database": self.variables.get("database_source") != "live",
            "site": itself or purpose == "preview",
            "people": itself or purpose != "debug",
        }
        return [tag for tag, there in has.items() if not there]


def target_of(plan: dict[str, Any]) -> Target:
    """What a plan of one of infra's environments is of. Raises KeyError for any other plan."""
    told = plan["configuration"]["root_module"]["module_calls"]["main"]["expressions"]
    environment = told["environment"]["constant_value"]
    name = plan["output_changes"]["main"]["after"]["name"]
    return Target(
        name=name,
        environment=environment,
        workspace=name.removeprefix(f"slipway-{environment}").removeprefix("-") or "default",
        production=told["production"]["constant_value"],
        variables={key: variable.get("value") for key, variable in plan["variables"].items()},
    )


def resources(plan: dict[str, Any], made_up: Mapping[str, dict[str, Any]]) -> list[Resource]:
    """All resources that are there after the apply.

    What only the apply tells is taken from a plan of the same sources with a made-up provider, by address: what is made
    up is an id, while whose id it is, and everything around it, is so. What the sources leave to AWS is left out, also
    where AWS has told it already. Raises ToolError where neither plan tells.
    """
    found = []
    for each in plan["resource_changes"]:
        change = each["change"]
        if each["mode"] != "managed" or change["after"] is None:
            continue
        if each["address"] not in made_up:
            raise ToolError(f"{each['address']} is not in infra/ as it is here: check out what the plan was made of")
        unknown, known, other = change["after_unknown"], change["after"], made_up[each["address"]]
        said = configured(plan, each["address"])
        values = {}
        for key in {**known, **unknown}:
            if not _has_unknown(unknown.get(key)):
                if key in said or key not in _FILLED_BY_AWS:
                    values[key] = known.get(key)
            elif unknown[key] is not True or key in said:
                values[key] = other["after"].get(key)
                if _has_unknown(other["after_unknown"].get(key)):
                    raise ToolError(f"{each['address']}: {key} is not known, so no policy can judge it")
        found.append(
            Resource(each["address"], each["type"], _without_nothing(values), "tags_all" in {**known, **unknown})
        )
    return found


def readable(found: list[Resource]) -> dict[str, Any]:
    """A plan for terraform-compliance: the resources, and what was put together of them."""
    everything = [
        *(Resource(each.address, each.type, _mapped(each.values)) for each in found),
        *_facts(found),
    ]
    changes = [
        {
            "address": each.address,
            "type": each.type,
            "mode": "managed",
            "name": each.address,
            "change": {"actions": ["create"], "after": each.values, "after_unknown": {}},
        }
        for each in everything
    ]
    # Without a configuration the tool mounts no resource into another, which would change their values.
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.0",
        "planned_values": {"root_module": {}},
        "configuration": {"root_module": {}},
        "resource_changes": changes,
    }


def _facts(found: list[Resource]) -> Iterator[Resource]:
    yield Resource("inventory", "inventory", {"types": sorted({each.type for each in found})})
    for each in found:
        if (name := _name(each)) is not None:
            yield Resource(f"name of {each.address}", "name", {"value": name})
        if each.taggable:
            yield Resource(f"tags of {each.address}", "tags", each.values.get("tags_all", {}))
        for number, (kind, values) in enumerate(_statements(each)):
            yield Resource(f"statement {number + 1} of {each.address}", kind, values)
        for number, sources in enumerate(_ingress(each)):
            yield Resource(f"ingress {number + 1} of {each.address}", "ingress", {"sources": sources})
        if each.type == "aws_s3_bucket":
            yield Resource(f"bucket {each.address}", "bucket", _bucket(each, found))


def _name(resource: Resource) -> str | None:
    if resource.type in _NAMED_WITHIN:
        return None
    name = resource.values.get(_NAMES.get(resource.type, "name")) or resource.values.get("tags_all", {}).get("Name")
    return name if isinstance(name, str) else None


def _statements(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    values = resource.values
    if resource.type == "aws_lambda_permission":
        yield "access", {"principals": [values["principal"]], "conditions": [key for key in values if "source" in key]}
    attached = [*_listed(values.get("policy_arn")), *_listed(values.get("managed_policy_arns"))]
    if attached and resource.type.startswith("aws_iam_"):
        yield "permission", {"grants": [f"all of {arn}" for arn in attached]}
    documents = [("access", values.get("assume_role_policy"))]
    if resource.type in _IDENTITY_POLICIES:
        documents.append(("permission", values.get("policy")))
    elif isinstance(values.get("policy"), str) and values["policy"].startswith("{"):
        documents.append(("access", values["policy"]))
    documents += [("permission", inline.get("policy")) for inline in values.get("inline_policy", [])]
    for kind, document in documents:
        for statement in _listed(json.loads(document).get("Statement") if document else None):
            if statement["Effect"] == "Allow":
                yield kind, _grants(statement) if kind == "permission" else _principals(statement)


def _grants(statement: dict[str, Any]) -> dict[str, Any]:
    """All but something is everything, as far as a rule about wildcards goes."""
    actions = _listed(statement.get("Action", "*"))
    of = [str(resource) for resource in _listed(statement.get("Resource", "*"))]
    return {"grants": [f"{action} on {resource}" for action in actions for resource in of]}


def _principals(statement: dict[str, Any]) -> dict[str, Any]:
    principal = statement.get("Principal", "*")
    named = (
        [each for kind in principal.values() for each in _listed(kind)] if isinstance(principal, dict) else [principal]
    )
    return {
        "principals": named,
        "conditions": sorted(key for test in statement.get("Condition", {}).values() for key in test),
    }


def _ingress(resource: Resource) -> Iterator[list[str]]:
    """Sources of each rule by which it lets somebody in, whichever of Terraform's ways says so."""
    values = resource.values
    if resource.type == "aws_vpc_security_group_ingress_rule":
        yield _sources(values)
    if resource.type == "aws_security_group_rule" and values.get("type") == "ingress":
        yield _sources(values)
    if resource.type == "aws_network_acl_rule" and not values.get("egress") and values.get("rule_action") == "allow":
        yield _sources(values)
    for rule in values.get("ingress", []):
        yield _sources(rule)


def _sources(rule: dict[str, Any]) -> list[str]:
    keys = ("cidr_ipv4", "cidr_ipv6", "cidr_block", "cidr_blocks", "ipv6_cidr_block", "ipv6_cidr_blocks")
    named = [source for key in keys for source in _listed(rule.get(key))]
    others = ("referenced_security_group_id", "source_security_group_id", "security_groups", "prefix_list_id", "self")
    return named + [str(source) for key in others for source in _listed(rule.get(key))]


def _bucket(bucket: Resource, found: list[Resource]) -> dict[str, Any]:
    """What Terraform spreads over resources of their own, each of which can be forgotten."""
    identifiers = {bucket.values.get("id"), bucket.values.get("bucket")} - {None}
    values: dict[str, Any] = {}
    for each in found:
        if each.type in _BUCKET_SETTINGS and each.values.get("bucket") in identifiers:
            values[_BUCKET_SETTINGS[each.type]] = {key: value for key, value in each.values.items() if key != "bucket"}
    refused = [
        statement
        for statement in _listed(json.loads(values.pop("policy", {}).get("policy", "{}")).get("Statement"))
        if statement["Effect"] == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"})
    ]
    if any(each.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false" for each in refused):
        values["refuses_what_is_not_encrypted"] = True
    return values


def configured(plan: dict[str, Any], address: str) -> set[str]:
    """The arguments that the sources give to a resource, and `id`."""
    *modules, kind, name = re.sub(r"\[[^\]]*\]", "", address).split(".")
    module = plan["configuration"]["root_module"]
    for call in modules[1::2]:
        module = module["module_calls"][call]["module"]
    # An id is nobody's to give, and what others are known by.
    return {"id"}.union(
        *(each.get("expressions", {}) for each in module["resources"] if (each["type"], each["name"]) == (kind, name))
    )


def _has_unknown(unknown: Any) -> bool:
    if isinstance(unknown, dict | list):
        return any(_has_unknown(each) for each in (unknown.values() if isinstance(unknown, dict) else unknown))
    return bool(unknown)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value if each is not None]
    return value


def _mapped(values: dict[str, Any]) -> dict[str, Any]:
    """Lists of names and values become maps, in which a rule finds a value by its name."""
    values = {key: value for key, value in values.items() if key not in ("id", "policy", "assume_role_policy", "body")}
    if "parameter" in values:
        values["parameters"] = {each["name"]: each["value"] for each in values["parameter"]}
    for certificate in values.get("viewer_certificate", []):
        own = not certificate.get("cloudfront_default_certificate")
        # With its own certificate CloudFront chooses the version, and says TLSv1.
        values["tls"] = certificate.get("minimum_protocol_version") if own else "of CloudFront's own certificate"
    return values


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
