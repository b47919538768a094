output "web_acl_arn" {
  description = "ARN of the firewall's web ACL, for a distribution."
  value       = aws_wafv2_web_acl.this.arn
}
