# The API on AWS. What is made is read from the package (generated.tf.json, by `make package`): `local.functions`,
# `local.schedules` and `local.openapi`. What it is made like, these files say.
#
#   functions.tf   the functions, their versions and the alias `live`
#   roles.tf       what each function may do, and its logs
#   gateway.tf     API Gateway: the API, its stage, its access log
#   schedules.tf   what runs at certain times

locals {
  # Outside of the VPC: they need AWS or an issuer's keys, and no connection to the database.
  outside_of_vpc = ["authorizer", "bootstrap"]

  # As whom a function in the VPC logs in: as the service, unless it is listed.
  database_users = { migrate = "slipway_migrator" }

  in_vpc = { for name, function in local.functions : name => lookup(local.database_users, name, "slipway_app")
  if !contains(local.outside_of_vpc, name) }

  names = { for name, function in local.functions : name => "${var.name}-${replace(name, "_", "-")}" }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}
