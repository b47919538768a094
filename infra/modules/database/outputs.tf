output "host" {
  description = "The writer's host name."
  value       = aws_rds_cluster.this.endpoint
}

output "port" {
  description = "The cluster's port."
  value       = aws_rds_cluster.this.port
}

output "name" {
  description = "Name of the database in the cluster. A clone's database has the same name as its source."
  value       = var.database_name
}

output "resource_id" {
  description = "Resource id of the cluster, for rds-db:connect."
  value       = aws_rds_cluster.this.cluster_resource_id
}

output "cluster_arn" {
  description = "ARN of the cluster, for the Data API."
  value       = aws_rds_cluster.this.arn
}

output "cluster_identifier" {
  description = "Identifier of the cluster, for metrics."
  value       = aws_rds_cluster.this.cluster_identifier
}

output "log_group_name" {
  description = "Name of the log group of PostgreSQL."
  value       = aws_cloudwatch_log_group.postgresql.name
}

output "master_secret_arn" {
  description = "ARN of the secret with the master's password, only for the bootstrap function."
  value       = one(aws_rds_cluster.this.master_user_secret[*].secret_arn)
}

output "reader_secret_arn" {
  description = "ARN of the secret with the reader's password, which the bootstrap function stores there."
  value       = aws_secretsmanager_secret.reader.arn
}

output "security_group_id" {
  description = "Id of the cluster's security group."
  value       = aws_security_group.database.id
}

output "client_security_group_id" {
  description = "Id of the security group for clients of the cluster."
  value       = aws_security_group.client.id
}
