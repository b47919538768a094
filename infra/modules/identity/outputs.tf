output "issuers" {
  description = "JSON list of the issuers that the stage trusts, for SLIPWAY_ISSUERS."
  value       = local.issuers
}

output "sign_in_url" {
  description = "URL where people sign in; null if this module creates no user pool."
  value       = local.sign_in_url
}

output "sign_in" {
  description = "JSON of the way in which people sign in on the page, for SLIPWAY_SIGN_IN; null if there is none."
  value       = local.sign_in
}

output "sign_in_origins" {
  description = "Origins that the page's scripts call to sign people in."
  value       = local.sign_in_origins
}

output "client_id" {
  description = "Client id of the dashboard in the user pool; null with an external issuer."
  value       = local.client_id
}

output "user_pool_id" {
  description = "Id of the user pool; null with an external issuer."
  value       = local.pool_id
}
