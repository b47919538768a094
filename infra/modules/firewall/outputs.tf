output "web_acl_arn" {
  description = "The firewall, for a distribution to name."
  value       = aws_wafv2_web_acl.this.arn
}
