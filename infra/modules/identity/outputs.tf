output "issuers" {
  description = "JSON of the issuers that the stage trusts, for SLIPWAY_ISSUERS."
  value       = local.issuers
}

output "sign_in_url" {
  description = "Where people sign in; null where the pool is another's."
  value       = local.sign_in_url
}

output "client_id" {
  description = "The dashboard's client in the user pool; null with an external issuer."
  value       = local.client_id
}

output "user_pool_id" {
  description = "The user pool; null with an external issuer."
  value       = local.pool_id
}
