"""The rows about pipelines' roles and the network."""

from collections.abc import Iterator

from tools.checks.walls.places import elsewhere, new, part, untagged
from tools.checks.walls.rows.applying import MAKERS, Applier
from tools.checks.walls.table import Wall, acts

# The part of the network that each action creates.
MADE = {
    "AllocateAddress": "elastic-ip",
    "AuthorizeSecurityGroupEgress": "security-group-rule",
    "AuthorizeSecurityGroupIngress": "security-group-rule",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateInternetGateway": "internet-gateway",
    "CreateNatGateway": "natgateway",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVpc": "vpc",
}
# Actions that change a part, or create another part in it.
CHANGED = {
    "elastic-ip": "AssociateAddress CreateNatGateway",
    "internet-gateway": "AttachInternetGateway",
    "network-interface": "AssociateAddress CreateFlowLogs",
    "route-table": "AssociateRouteTable CreateRoute ReplaceRoute",
    "security-group": "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress ModifySecurityGroupRules"
    " UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress",
    "security-group-rule": "DeleteTags ModifySecurityGroupRules",
    "subnet": "AssociateRouteTable CreateFlowLogs CreateNatGateway DeleteTags ModifySubnetAttribute",
    "vpc": "AttachInternetGateway CreateFlowLogs CreateRouteTable CreateSecurityGroup CreateSubnet DeleteTags"
    " ModifyVpcAttribute",
}
DELETED = {
    "elastic-ip": "DisassociateAddress ReleaseAddress",
    "internet-gateway": "DeleteInternetGateway DetachInternetGateway",
    "natgateway": "DeleteNatGateway",
    "network-interface": "DisassociateAddress",
    "route-table": "DeleteRoute DeleteRouteTable DisassociateRouteTable",
    "security-group": "DeleteSecurityGroup RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    "subnet": "DeleteSubnet DisassociateRouteTable",
    "vpc": "DeleteVpc DetachInternetGateway",
    "vpc-flow-log": "DeleteFlowLogs",
}
TAG = acts("ec2", "CreateTags")


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    for action, type_ in MADE.items():
        yield by.by_tag(f"creates a {type_} with {action}", acts("ec2", action), new(part(type_)), MAKERS)
    for type_, actions in CHANGED.items():
        yield by.by_tag(f"changes a {type_}", acts("ec2", actions), part(type_), MAKERS)
    for type_, actions in DELETED.items():
        yield by.by_tag(f"deletes a {type_}, or takes it away", acts("ec2", actions), part(type_))
    # Lambda's interfaces have no tags, and EC2 refuses to delete an interface in use.
    delete, interface = acts("ec2", "DeleteNetworkInterface"), part("network-interface")
    yield by.exactly("deletes interfaces", delete, interface)
    there = list(map(elsewhere, by.own))
    yield by.unlimited("deletes interfaces without tags", delete, untagged(interface), not_of=there)
    yield from _tags(by)


def _tags(by: Applier) -> Iterator[Wall]:
    for action, type_ in MADE.items():
        # AWS creates the default security group without tags. So a role may tag any security group without tags.
        wrong = [] if type_ == "security-group" else [{}, {"ec2:CreateAction": "RunInstances"}]
        yield by.by_tag(
            f"tags the new {type_} of {action}", TAG, new(part(type_)), MAKERS, {"ec2:CreateAction": action}, wrong
        )
    yield from by.tagging("security group", TAG, part("security-group"))
    yield by.by_tag("tags an interface without tags as its own", TAG, new(part("network-interface")), ())
    for type_ in ("vpc", "subnet", "network-interface"):
        yield from by.tagging_again(type_, TAG, part(type_))
