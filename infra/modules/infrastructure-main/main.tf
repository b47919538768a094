# Everything that makes up an environment, or a workspace of one. Start reading here.
#
#   site ──► api ──► database        identity: the issuers that the API trusts    monitoring: alarms and dashboards
#              └────── network       firewall: in front of site and api           key:        encrypts everything

locals {
  is_default       = var.workspace == "default"
  is_debug         = startswith(var.workspace, "d-")
  environment_name = local.is_default ? var.environment : "${var.environment}-${var.workspace}"
  # Resources have this text in their names. So resources of two environments or workspaces never have the same name.
  name = "${var.system}-${local.environment_name}"
  # The name of the environment itself. For a workspace, this is the environment that the workspace copies.
  environment_of = "${var.system}-${var.environment}"

  account_id = data.aws_caller_identity.this.account_id

  # This policy of infra/account limits every role that is created here. The pipeline can't create roles without it.
  permissions_boundary = "arn:aws:iam::${local.account_id}:policy/${var.system}-account-boundary-${var.environment}${local.is_default ? "" : local.is_debug ? "-debug" : "-workspaces"}"

  # A workspace on live data has no network or database of its own: live.tf finds those of the environment.
  on_live_data = var.database_source == "live"
  network      = concat(module.network[*], local.live_network)[0]
  database     = concat(module.database[*], local.live_database)[0]

  is_protected = var.production && local.is_default

  # Only the environment itself reads its secrets: a workspace can run code that nobody has reviewed.
  dependencies = { for key, each in var.dependencies : key => local.is_default ? each : merge(each, { secret = null }) }

  # Clients reach a debug workspace through its environment's site. Personal workspaces need no site.
  has_site     = var.site && (local.is_default || var.workspace_purpose == "preview")
  has_firewall = var.firewall && (local.is_default || local.is_debug)

  # A user pool lets people return only to an address that it knows. CloudFront chooses its own domain too late for that.
  signs_in_on_site = local.has_site && (var.external_issuer != null || (var.domain != null && local.is_default))

  has_firewall_of_site = local.has_firewall && local.has_site
}

data "aws_caller_identity" "this" {
  lifecycle {
    postcondition {
      condition     = !(var.production && contains(var.testing_account_ids, self.account_id))
      error_message = "Production must not be created in a testing account: write the id of production's account into infra/production/terraform.tfvars.json."
    }
  }
}

data "aws_region" "this" {}

module "network" {
  source = "../network"
  count  = local.on_live_data ? 0 : 1

  name                 = local.name
  egress               = var.egress
  log_retention_days   = var.log_retention_days
  kms_key_arn          = aws_kms_key.this.arn
  permissions_boundary = local.permissions_boundary
}

module "database" {
  source = "../database"
  count  = local.on_live_data ? 0 : 1

  name                  = local.name
  database_name         = replace(var.system, "-", "_")
  vpc_id                = module.network[0].vpc_id
  subnet_ids            = module.network[0].private_subnet_ids
  kms_key_arn           = aws_kms_key.this.arn
  clone_of              = var.database_source == "clone" ? local.environment_of : null
  min_capacity          = local.is_default ? var.database.min_capacity : 0
  max_capacity          = var.database.max_capacity
  instances             = local.is_default ? var.database.instances : 1
  backup_retention_days = local.is_default ? var.database.backup_retention_days : 1
  deletion_protection   = local.is_protected
  log_retention_days    = var.log_retention_days
}

module "identity" {
  source = "../identity"

  name            = local.name
  account_id      = local.account_id
  audience        = local.is_debug ? local.environment_of : local.name
  pool_of         = local.is_debug ? local.environment_of : null
  external_issuer = var.external_issuer
  groups          = var.groups
  callback_urls   = var.domain != null && local.is_default ? ["https://${var.domain.name}/"] : ["http://localhost:8000/"]

  # In production, people may write. A stolen password alone must not be enough.
  requires_mfa        = var.production
  deletion_protection = local.is_protected
}

module "api" {
  source = "../api"

  name                 = local.name
  stage                = var.environment
  workspace            = var.workspace
  subnet_ids           = local.network.private_subnet_ids
  security_group_ids   = [local.network.functions_security_group_id, local.database.client_security_group_id]
  issuers              = module.identity.issuers
  sign_in              = local.signs_in_on_site ? module.identity.sign_in : null
  dependencies         = local.dependencies
  reserved_concurrency = local.is_default ? var.reserved_concurrency : null
  log_retention_days   = var.log_retention_days
  kms_key_arn          = aws_kms_key.this.arn
  throttling           = var.throttling
  detailed_metrics     = var.detailed_metrics
  permissions_boundary = local.permissions_boundary
  schedules_enabled    = !local.is_debug

  database = {
    host           = local.database.host
    port           = local.database.port
    name           = local.database.name
    resource_id    = local.database.resource_id
    app_login      = local.app_login
    migrator_login = local.migrator_login
  }

  # Live data belongs to the environment, which has created the logins.
  bootstrap = local.on_live_data ? null : {
    cluster_arn        = module.database[0].cluster_arn
    master_secret_arn  = module.database[0].master_secret_arn
    reader_secret_arn  = module.database[0].reader_secret_arn
    secret_kms_key_arn = aws_kms_key.this.arn
  }
}

# The distribution proves with this secret that a request comes through the site. Terraform's state keeps the secret.
resource "terraform_data" "secret_of_site" {
  count = local.has_firewall_of_site ? 1 : 0
  input = uuid() # random, from the system's generator

  lifecycle {
    ignore_changes = [input] # uuid() differs in each run
  }
}

module "firewall_api" {
  source = "../firewall"
  count  = local.has_firewall ? 1 : 0

  name               = local.name
  scope              = "REGIONAL"
  resource_arn       = module.api.stage_arn
  site               = local.has_firewall_of_site ? { secret = terraform_data.secret_of_site[0].output } : null
  log_retention_days = var.log_retention_days
  kms_key_arn        = aws_kms_key.this.arn
}

module "firewall_site" {
  source    = "../firewall"
  count     = local.has_firewall_of_site ? 1 : 0
  providers = { aws = aws.us_east_1 }

  name               = local.name
  scope              = "CLOUDFRONT"
  log_retention_days = var.log_retention_days
  kms_key_arn        = aws_kms_key.us_east_1[0].arn
}

module "site" {
  source = "../site"
  count  = local.has_site ? 1 : 0

  name            = local.name
  account_id      = local.account_id
  api_domain      = module.api.invoke_domain
  api_stage       = module.api.stage_name
  connect_sources = module.identity.sign_in_origins
  domain          = local.is_default ? var.domain : null
  web_acl_arn     = one(module.firewall_site[*].web_acl_arn)
  header_to_api = local.has_firewall_of_site && length(module.firewall_api) == 1 ? {
    name  = module.firewall_api[0].header_of_site
    value = terraform_data.secret_of_site[0].output
  } : null
}

# A workspace has no alarms: its owner watches it.
module "monitoring" {
  source    = "../monitoring"
  count     = local.is_default ? 1 : 0
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  name            = local.name
  system          = var.system
  environment     = var.environment
  objectives      = var.objectives
  notify          = var.notify
  kms_key_arn     = aws_kms_key.this.arn
  api             = { name = local.name, stage = module.api.stage_name }
  functions       = module.api.functions
  log_group       = module.api.log_group_names["api"]
  firewall_of_api = one(module.firewall_api[*].metric_name)

  database = {
    cluster_identifier = local.database.cluster_identifier
    max_connections    = local.database_max_connections
    log_group          = module.database[0].log_group_name
  }

  site = !local.has_site ? null : {
    distribution_id = module.site[0].distribution_id
    firewall        = one(module.firewall_site[*].metric_name)
    certificate_arn = try(var.domain.certificate_arn, null)
    kms_key_arn     = aws_kms_key.us_east_1[0].arn
  }
}
