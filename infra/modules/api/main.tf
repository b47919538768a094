# The API on AWS. `make package` writes generated.tf.json, which lists the parts: `local.functions`,
# `local.schedules` and `local.openapi`. These files say how to create the parts:
#
#   functions.tf   the functions, their versions and the alias `live`
#   roles.tf       the role and the log of each function
#   gateway.tf     API Gateway: the API, its stage, its access log
#   schedules.tf   functions that run at certain times

locals {
  # Functions outside of the VPC. They call AWS or fetch an issuer's keys, and do not connect to the database.
  outside_of_vpc = ["authorizer", "bootstrap"]

  # Database users of functions in the VPC. A function that is not listed logs in as …_app. The roles are named after the
  # database: see chalicelib/database/roles.py.
  database_users = { migrate = "${var.database.name}_migrator" }

  in_vpc = { for name, function in local.functions : name => lookup(local.database_users, name, "${var.database.name}_app")
  if !contains(local.outside_of_vpc, name) }

  names = { for name, function in local.functions : name => "${var.name}-${replace(name, "_", "-")}" }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}
