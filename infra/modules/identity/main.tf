# People sign in with the environment's own Cognito user pool or an external issuer. A debug workspace uses its
# environment's pool. Pipelines use GitHub's tokens. `issuers` lists the issuers that a stage trusts.

locals {
  has_pool    = var.external_issuer == null && var.pool_of == null
  joins_pool  = var.external_issuer == null && var.pool_of != null
  pool_id     = local.has_pool ? aws_cognito_user_pool.this[0].id : local.joins_pool ? one(data.aws_cognito_user_pools.environment[0].ids) : null
  client_id   = local.has_pool ? aws_cognito_user_pool_client.this[0].id : local.joins_pool ? one(data.aws_cognito_user_pool_clients.environment[0].client_ids) : null
  domain      = "${var.name}-${substr(sha256(var.account_id), 0, 8)}"
  sign_in_url = local.has_pool ? "https://${local.domain}.auth.${data.aws_region.this.name}.amazoncognito.com" : null

  # The origins that the page's scripts call to sign in. Cognito describes itself at one host and gives tokens at another.
  sign_in_origins = local.has_pool ? [local.sign_in_url, local.issuer_of_pools] : var.external_issuer == null || local.page == null ? [] : concat(
    regexall("^https://[^/]+", var.external_issuer.issuer),
    local.page.origins,
  )
  page = try(var.external_issuer.page, null)
  sign_in = local.has_pool ? jsonencode({ authority = "${local.issuer_of_pools}/${local.pool_id}", client_id = local.client_id, scope = "openid profile" }) : local.page == null ? null : jsonencode({
    authority = var.external_issuer.issuer, client_id = local.page.client_id, scope = local.page.scope
  })
  issuer_of_pools = "https://cognito-idp.${data.aws_region.this.name}.amazonaws.com"

  # The values are JSON in text, because all values of a Terraform map have one type. `systems` is a list or "all".
  # Viewers and admins have no `systems`.
  memberships = { for name, group in var.groups : name => (
    group.systems == null ? jsonencode({ role = group.role }) :
    contains(group.systems, "all") ? jsonencode({ role = group.role, systems = "all" }) :
    jsonencode({ role = group.role, systems = group.systems })
  ) }
  groups = join(",", [for name, membership in local.memberships : format("%s:%s", jsonencode(name), membership)])

  people = var.external_issuer != null ? jsonencode(merge({ for name, value in var.external_issuer : name => value if name != "page" }, { kind = "people" })) : jsonencode({
    kind           = "people"
    issuer         = "${local.issuer_of_pools}/${local.pool_id}"
    audience       = local.client_id
    audience_claim = "client_id" # Cognito's ID tokens lack this claim, so they are refused; its access tokens have the claim
    algorithm      = "RS256"
    groups_claim   = "cognito:groups"
  })

  pipelines = jsonencode({
    kind      = "github-actions"
    issuer    = "https://token.actions.githubusercontent.com"
    audience  = var.audience
    algorithm = "RS256"
  })

  issuers = format("[%s,%s,\"groups\":{%s}}]", local.pipelines, trimsuffix(local.people, "}"), local.groups)
}

data "aws_region" "this" {}

data "aws_cognito_user_pools" "environment" {
  count = local.joins_pool ? 1 : 0

  name = var.pool_of

  lifecycle {
    postcondition {
      condition     = length(self.ids) == 1
      error_message = "Expected exactly one user pool named ${var.pool_of}. Apply the environment before its debug workspaces, and delete other pools with this name."
    }
  }
}

data "aws_cognito_user_pool_clients" "environment" {
  count = local.joins_pool ? 1 : 0

  user_pool_id = one(data.aws_cognito_user_pools.environment[0].ids)
}

resource "aws_cognito_user_pool" "this" {
  count = local.has_pool ? 1 : 0

  name                = var.name
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = var.requires_mfa ? "ON" : "OPTIONAL"
  username_attributes = ["email"]

  auto_verified_attributes = ["email"]

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  software_token_mfa_configuration {
    enabled = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 3
  }
}

resource "aws_cognito_user_group" "this" {
  for_each = local.has_pool ? var.groups : {}

  user_pool_id = aws_cognito_user_pool.this[0].id
  name         = each.key
  description  = "${each.value.role}${each.value.systems == null ? "" : " of ${join(", ", each.value.systems)}"}"
}

# The client is public, because a browser can't keep a secret. So the code flow uses PKCE.
resource "aws_cognito_user_pool_client" "this" {
  count = local.has_pool ? 1 : 0

  name            = var.name
  user_pool_id    = aws_cognito_user_pool.this[0].id
  generate_secret = false

  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "profile"]
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = var.callback_urls
  logout_urls                          = var.callback_urls
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]

  enable_token_revocation       = true
  prevent_user_existence_errors = "ENABLED"
  access_token_validity         = 1
  id_token_validity             = 1
  refresh_token_validity        = 12

  token_validity_units {
    access_token  = "hours"
    id_token      = "hours"
    refresh_token = "hours"
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  count = local.has_pool ? 1 : 0

  domain       = local.domain
  user_pool_id = aws_cognito_user_pool.this[0].id

  lifecycle {
    precondition {
      condition     = !can(regex("aws|amazon|cognito", local.domain))
      error_message = "A sign-in domain must not contain aws, amazon or cognito: choose another workspace name."
    }
  }
}
