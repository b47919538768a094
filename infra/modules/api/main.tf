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

  # These functions prepare the database. They do not exist if it belongs to another target.
  preparing = ["bootstrap", "migrate"]

  deployed = { for name, function in local.functions : name => function
  if var.bootstrap != null || !contains(local.preparing, name) }

  # Database logins of functions in the VPC. A function that is not listed logs in as the service.
  logins = { migrate = var.database.migrator_login }

  in_vpc = { for name, function in local.deployed : name => lookup(local.logins, name, var.database.app_login)
  if !contains(local.outside_of_vpc, name) }

  names = { for name, function in local.deployed : name => "${var.name}-${replace(name, "_", "-")}" }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}
