# The parts of the environment that a debug workspace on live data uses. The workspace does not change these parts, and
# never bootstraps or migrates the database. It logs in as the environment does.

locals {
  live_network = [for _ in range(local.on_live_data ? 1 : 0) : {
    private_subnet_ids          = data.aws_subnets.live[0].ids
    functions_security_group_id = data.aws_security_group.live["functions"].id
  }]

  live_database = [for _ in range(local.on_live_data ? 1 : 0) : {
    host                     = data.aws_rds_cluster.live[0].endpoint
    port                     = data.aws_rds_cluster.live[0].port
    name                     = data.aws_rds_cluster.live[0].database_name
    resource_id              = data.aws_rds_cluster.live[0].cluster_resource_id
    cluster_identifier       = data.aws_rds_cluster.live[0].cluster_identifier
    client_security_group_id = data.aws_security_group.live["database-client"].id
  }]
}

data "aws_vpc" "live" {
  count = local.on_live_data ? 1 : 0

  tags = { Name = local.environment_of }
}

data "aws_subnets" "live" {
  count = local.on_live_data ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.live[0].id]
  }

  tags = { tier = "private" }
}

data "aws_security_group" "live" {
  for_each = toset(local.on_live_data ? ["functions", "database-client"] : [])

  vpc_id = data.aws_vpc.live[0].id
  name   = "${local.environment_of}-${each.value}"
}

data "aws_rds_cluster" "live" {
  count = local.on_live_data ? 1 : 0

  cluster_identifier = local.environment_of
}
