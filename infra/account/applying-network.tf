# Permissions for the VPC and its parts. A new part must have the environment's tag. If AWS creates the new part in
# another part, that one must have this tag too.

locals {
  ec2 = "arn:${local.partition}:ec2:${local.arn_account}"

  # Actions, and the types of the resources that they create. The request's tags limit only the new resource. The
  # statement `Change` limits the resources around the new resource, such as a subnet's VPC, by their own tags. So an
  # action that needs such resources is only beside actions that create the same type.
  ec2_made = {
    FlowLog       = { actions = ["CreateFlowLogs"], types = ["vpc-flow-log"] }
    Nat           = { actions = ["CreateNatGateway"], types = ["natgateway"] }
    RouteTable    = { actions = ["CreateRouteTable"], types = ["route-table"] }
    SecurityGroup = { actions = ["CreateSecurityGroup"], types = ["security-group"] }
    SecurityRule  = { actions = ["AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"], types = ["security-group-rule"] }
    Subnet        = { actions = ["CreateSubnet"], types = ["subnet"] }
    Vpc           = { actions = ["AllocateAddress", "CreateInternetGateway", "CreateVpc"], types = ["elastic-ip", "internet-gateway", "vpc"] }
  }

  network = { for key, applier in local.appliers : key => concat(
    [for name, made in local.ec2_made : {
      Sid       = "Make${name}"
      Effect    = "Allow"
      Action    = [for action in made.actions : "ec2:${action}"]
      Resource  = [for type in made.types : "${local.ec2}:${type}/*"]
      Condition = local.new[key]
    }],
    [
      {
        Sid    = "Change"
        Effect = "Allow"
        Action = [
          "ec2:AssociateAddress",
          "ec2:AssociateRouteTable",
          "ec2:AttachInternetGateway",
          "ec2:AuthorizeSecurityGroupEgress",
          "ec2:AuthorizeSecurityGroupIngress",
          "ec2:CreateFlowLogs",
          "ec2:CreateNatGateway",
          "ec2:CreateRoute",
          "ec2:CreateRouteTable",
          "ec2:CreateSecurityGroup",
          "ec2:CreateSubnet",
          "ec2:DeleteFlowLogs",
          "ec2:DeleteInternetGateway",
          "ec2:DeleteNatGateway",
          "ec2:DeleteRoute",
          "ec2:DeleteRouteTable",
          "ec2:DeleteSecurityGroup",
          "ec2:DeleteSubnet",
          "ec2:DeleteTags",
          "ec2:DeleteVpc",
          "ec2:DetachInternetGateway",
          "ec2:DisassociateAddress",
          "ec2:DisassociateRouteTable",
          "ec2:ModifySecurityGroupRules",
          "ec2:ModifySubnetAttribute",
          "ec2:ModifyVpcAttribute",
          "ec2:ReleaseAddress",
          "ec2:ReplaceRoute",
          "ec2:RevokeSecurityGroupEgress",
          "ec2:RevokeSecurityGroupIngress",
          "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
          "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        ]
        Resource  = ["${local.ec2}:*/*"]
        Condition = local.own[key]
      },
      {
        # Only the request that creates a resource may tag it as one's own. Otherwise a role could take over resources
        # without tags, such as the interfaces of other functions.
        Sid      = "TagWhatIsNew"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = ["${local.ec2}:*/*"]
        Condition = merge(local.new[key], {
          StringEquals = merge(local.new[key].StringEquals, { "ec2:CreateAction" = flatten(values(local.ec2_made)[*].actions) })
        })
      },
      {
        # AWS creates the default security group of a VPC, without tags. Terraform closes and tags it.
        Sid       = "TagDefaultSecurityGroup"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = ["${local.ec2}:security-group/*"]
        Condition = local.new_or_own[key]
      },
      {
        Sid       = "TagWhatIsOwn"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = ["${local.ec2}:*/*"]
        Condition = local.own_or_new[key]
      },
      {
        # Lambda's interfaces carry no tags, and prevent the destruction of their VPC. The provider waits until Lambda has
        # released an interface, and deletes it if Lambda did not. EC2 refuses to delete an interface in use.
        Sid       = "InterfacesOfLambdaAreNumbers"
        Effect    = "Allow"
        Action    = ["ec2:DeleteNetworkInterface"]
        Resource  = ["${local.ec2}:network-interface/*"]
        Condition = local.own_or_untagged[key]
      },
    ],
  ) }
}
