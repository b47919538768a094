output "url" {
  description = "Where people find it."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "bucket" {
  description = "Bucket of the dashboard's files."
  value       = aws_s3_bucket.this.id
}

output "distribution_id" {
  description = "Distribution whose cache is invalidated when the files change."
  value       = aws_cloudfront_distribution.this.id
}

output "routes_arn" {
  description = "Key value store of the routes to debug workspaces."
  value       = aws_cloudfront_key_value_store.routes.arn
}
