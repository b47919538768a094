# Without `egress`, the functions in the VPC can reach the database and nothing else. Environments are never connected,
# not even by peering. So all environments may use the same addresses.

data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394: the first zones by name are used; a zone that AWS adds comes last
  state = "available"

  # Skip local zones: they have no Aurora.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  zones = slice(data.aws_availability_zones.this.names, 0, var.zones)
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

resource "aws_subnet" "private" {
  count = var.zones

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(var.cidr, 4, count.index)
  availability_zone = local.zones[count.index]

  # A debug workspace on live data finds the subnets by the tag `tier`.
  tags = { Name = "${var.name}-private-${count.index + 1}", tier = "private" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  count = var.zones

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}

# Resources without a security group get this one, which lets nothing in or out.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-closed" }
}

resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5: the functions of the module api use this security group
  name        = "${var.name}-functions"
  description = "Functions of ${var.name}"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-functions" }
}

resource "aws_cloudwatch_log_group" "flow" {
  #checkov:skip=CKV_AWS_338: each environment chooses how long it keeps logs
  name              = "/vpc/${var.name}/flow"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flow.arn
  iam_role_arn             = aws_iam_role.flow.arn
  max_aggregation_interval = 600

  tags = { Name = var.name }
}

resource "aws_iam_role" "flow" {
  name                 = "${var.name}-flow"
  description          = "Writes the flow log of ${var.name}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
      Condition = {
        StringEquals = { "aws:SourceAccount" = [data.aws_caller_identity.this.account_id] }
        # The flow log gets its id later, because it names this role.
        ArnLike = { "aws:SourceArn" = ["arn:${data.aws_partition.this.partition}:ec2:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:vpc-flow-log/*"] }
      }
    }]
  })
}

resource "aws_iam_role_policy" "flow" {
  name = "write"
  role = aws_iam_role.flow.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
  })
}
