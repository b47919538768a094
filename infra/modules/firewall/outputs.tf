output "web_acl_arn" {
  description = "ARN of the firewall's web ACL, for a distribution."
  value       = aws_wafv2_web_acl.this.arn
}

output "metric_name" {
  description = "Name of the web ACL in its metrics."
  value       = aws_wafv2_web_acl.this.visibility_config[0].metric_name
}

output "header_of_site" {
  description = "Name of the header in which the site's distribution sends its secret to the API."
  value       = local.header_of_site
}
