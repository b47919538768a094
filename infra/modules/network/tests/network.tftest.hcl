mock_provider "aws" {
  source = "../mocks"
}

variables {
  name               = "service-development"
  log_retention_days = 14
  kms_key_arn        = "arn:aws:kms:eu-central-1:210987654321:key/1"
}

run "a_network" {
  # Private subnets without a way to the internet.
  assert {
    condition     = length(aws_subnet.private) == 2 && aws_subnet.private[*].availability_zone == ["eu-central-1a", "eu-central-1b"]
    error_message = "By default there must be a private subnet in each of two zones."
  }

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16" && aws_subnet.private[*].cidr_block == ["10.0.0.0/20", "10.0.16.0/20"]
    error_message = "The subnets must be sixteenths of the VPC's range, one after the other."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.map_public_ip_on_launch != true && subnet.tags.tier == "private"])
    error_message = "A private subnet must give out no public addresses. Debug workspaces must find the subnet by its tag."
  }

  assert {
    condition = length(concat(
      aws_internet_gateway.this, aws_nat_gateway.this, aws_eip.this, aws_subnet.public, aws_route.out, aws_route.to_the_internet,
      aws_vpc_security_group_egress_rule.https,
    )) == 0
    error_message = "Without egress, there must be no way to the internet."
  }

  assert {
    condition     = aws_route_table_association.private[*].route_table_id == [for _ in aws_subnet.private : aws_route_table.private.id]
    error_message = "Every private subnet must use the private route table."
  }

  # The default security group is closed.
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default security group must let nothing in or out."
  }

  # All traffic is logged.
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flow.arn
    error_message = "Accepted and rejected traffic must go to the log."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.retention_in_days == 14 && aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn
    error_message = "The log must be kept for the given days, and encrypted with the environment's key."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.flow.policy).Statement == [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
    error_message = "The flow log's role may only write this log."
  }

  assert {
    condition = jsondecode(aws_iam_role.flow.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = ["210987654321"] }
        ArnLike      = { "aws:SourceArn" = ["arn:aws:ec2:eu-central-1:210987654321:vpc-flow-log/*"] }
      }
    }]
    error_message = "Only flow logs of this account and region may use the role."
  }

  # Every name starts with the environment's name.
  assert {
    condition = alltrue([for name in concat(
      [aws_vpc.this.tags.Name, aws_route_table.private.tags.Name, aws_default_security_group.this.tags.Name, aws_flow_log.this.tags.Name],
      [aws_security_group.functions.name, aws_iam_role.flow.name],
      aws_subnet.private[*].tags.Name,
    ) : startswith(name, "service-development")])
    error_message = "Every name must start with the environment's name."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.name == "/vpc/service-development/flow"
    error_message = "The log must have the environment's name."
  }
}

run "with_egress_functions_reach_the_internet_only_by_https" {
  variables { egress = true }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && aws_nat_gateway.this[0].subnet_id == aws_subnet.public[0].id
    error_message = "There must be one NAT gateway, in the public subnet."
  }

  assert {
    condition     = !contains(aws_subnet.private[*].cidr_block, aws_subnet.public[0].cidr_block)
    error_message = "The public subnet must have its own addresses."
  }

  assert {
    condition = (
      aws_route.out[0].route_table_id == aws_route_table.private.id && aws_route.out[0].nat_gateway_id == aws_nat_gateway.this[0].id &&
      aws_route.to_the_internet[0].route_table_id == aws_route_table.public[0].id && aws_route.to_the_internet[0].gateway_id == aws_internet_gateway.this[0].id
    )
    error_message = "Private subnets must reach the internet through the NAT gateway. The NAT gateway must reach it through the internet gateway."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.https[0].security_group_id == aws_security_group.functions.id &&
      aws_vpc_security_group_egress_rule.https[0].from_port == 443 && aws_vpc_security_group_egress_rule.https[0].to_port == 443
    )
    error_message = "The functions must be allowed to call external systems only by HTTPS."
  }
}

run "three_zones_and_other_addresses_and_a_boundary" {
  variables {
    zones                = 3
    cidr                 = "10.4.0.0/22"
    permissions_boundary = "arn:aws:iam::210987654321:policy/boundary"
  }

  assert {
    condition     = aws_subnet.private[*].cidr_block == ["10.4.0.0/26", "10.4.0.64/26", "10.4.0.128/26"]
    error_message = "There must be three subnets in the given range."
  }

  assert {
    condition     = aws_iam_role.flow.permissions_boundary == "arn:aws:iam::210987654321:policy/boundary"
    error_message = "The role must have the boundary."
  }
}
