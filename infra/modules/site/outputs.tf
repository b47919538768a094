output "url" {
  description = "URL of the site."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "bucket" {
  description = "Name of the bucket for the dashboard's files."
  value       = aws_s3_bucket.this.id
}

output "distribution_id" {
  description = "Id of the distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "routes_arn" {
  description = "ARN of the key value store with the routes to debug workspaces, and their addresses."
  value       = aws_cloudfront_key_value_store.routes.arn
}
