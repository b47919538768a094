output "name" {
  description = "Prefix of every name in the environment or workspace."
  value       = local.name
}

output "region" {
  description = "AWS region."
  value       = data.aws_region.this.name
}

output "is_protected" {
  description = "True if the environment must not be destroyed. A workspace may always be destroyed."
  value       = local.is_protected
}

output "url" {
  description = "The site's address, or the API's if there is no site."
  value       = local.has_site ? module.site[0].url : module.api.invoke_url
}

output "api" {
  description = "Details of the API, for the tools that deploy."
  value = {
    rest_api_id       = module.api.rest_api_id
    stage_name        = module.api.stage_name
    invoke_domain     = module.api.invoke_domain
    function_names    = module.api.function_names
    function_versions = module.api.function_versions
    alias_name        = module.api.alias_name
  }
}

output "owns_database" {
  description = "True if the database belongs to this environment or workspace. A deployment then bootstraps and migrates the database."
  value       = !local.on_live_data
}

output "site" {
  description = "Bucket, distribution and route store of the site; null without a site."
  value = local.has_site ? {
    bucket          = module.site[0].bucket
    distribution_id = module.site[0].distribution_id
    routes_arn      = module.site[0].routes_arn
  } : null
}

output "sign_in" {
  description = "URL where people sign in, id of the dashboard's client, and id of the user pool. A value is null if it does not exist."
  value = {
    url          = module.identity.sign_in_url
    client_id    = module.identity.client_id
    user_pool_id = module.identity.user_pool_id
  }
}

output "dependencies" {
  description = "The bindings of the environment, for the check of crosstalk and the registry. Names of secrets are left out."
  value       = { for key, each in var.dependencies : key => { instance = each.instance, access = each.access, exclusive = each.exclusive } }
}
