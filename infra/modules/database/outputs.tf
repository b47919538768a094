output "host" {
  description = "The writer's host name."
  value       = aws_rds_cluster.this.endpoint
}

output "port" {
  description = "The cluster's port."
  value       = aws_rds_cluster.this.port
}

output "name" {
  description = "The database in the cluster. A clone has its source's."
  value       = "slipway"
}

output "resource_id" {
  description = "What rds-db:connect names the cluster by."
  value       = aws_rds_cluster.this.cluster_resource_id
}

output "cluster_arn" {
  description = "What the Data API names the cluster by."
  value       = aws_rds_cluster.this.arn
}

output "cluster_identifier" {
  description = "What metrics name the cluster by."
  value       = aws_rds_cluster.this.cluster_identifier
}

output "master_secret_arn" {
  description = "Secret with the master's password, for the bootstrap function alone."
  value       = one(aws_rds_cluster.this.master_user_secret[*].secret_arn)
}

output "security_group_id" {
  description = "Security group of the cluster."
  value       = aws_security_group.database.id
}

output "client_security_group_id" {
  description = "Security group of whoever connects to it."
  value       = aws_security_group.client.id
}
