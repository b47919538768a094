output "name" {
  description = "What every name of it starts from."
  value       = local.name
}

output "region" {
  description = "Where it is."
  value       = data.aws_region.this.name
}

output "is_protected" {
  description = "Whether it must not be destroyed."
  value       = local.is_protected
}

output "url" {
  description = "Where it is found: the site's address, or the API's where there is no site."
  value       = local.has_site ? module.site[0].url : module.api.invoke_url
}

output "api" {
  description = "The API: what the tool that deploys has to know of it."
  value = {
    rest_api_id       = module.api.rest_api_id
    stage_name        = module.api.stage_name
    invoke_domain     = module.api.invoke_domain
    invoke_url        = module.api.invoke_url
    function_names    = module.api.function_names
    function_versions = module.api.function_versions
    alias_name        = module.api.alias_name
  }
}

output "owns_database" {
  description = "Whether it is bootstrapped and migrated. A workspace on live data is not."
  value       = !local.on_live_data
}

output "site" {
  description = "Bucket, distribution and route store of the site; null where there is none."
  value = local.has_site ? {
    bucket          = module.site[0].bucket
    distribution_id = module.site[0].distribution_id
    routes_arn      = module.site[0].routes_arn
  } : null
}

output "sign_in" {
  description = "Where people sign in, and as which client."
  value = {
    url          = module.identity.sign_in_url
    client_id    = module.identity.client_id
    user_pool_id = module.identity.user_pool_id
  }
}
