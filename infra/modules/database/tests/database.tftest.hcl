mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                  = "service-production"
  database_name         = "service"
  vpc_id                = "vpc-1"
  subnet_ids            = ["subnet-1", "subnet-2"]
  kms_key_arn           = "arn:aws:kms:eu-central-1:210987654321:key/1"
  min_capacity          = 1
  max_capacity          = 16
  instances             = 2
  backup_retention_days = 30
  deletion_protection   = true
  log_retention_days    = 365
}

run "a_protected_environment" {
  # A protected environment.
  assert {
    condition = (
      aws_rds_cluster.this.cluster_identifier == "service-production" && aws_rds_cluster.this.engine == "aurora-postgresql" &&
      aws_rds_cluster.this.engine_version == "16" && aws_rds_cluster_parameter_group.this.family == "aurora-postgresql16"
    )
    error_message = "The cluster must be Aurora PostgreSQL 16, with the environment's name."
  }

  assert {
    condition     = aws_rds_cluster.this.database_name == "service" && aws_rds_cluster.this.master_username == "cluster_owner" && length(aws_rds_cluster.this.restore_to_point_in_time) == 0
    error_message = "The cluster must start with an empty database."
  }

  assert {
    condition     = aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && can(regex("^service-production-final-[0-9a-f]{8}$", aws_rds_cluster.this.final_snapshot_identifier))
    error_message = "The cluster must be protected from deletion, and leave a snapshot with a name of its own."
  }

  assert {
    condition     = aws_rds_cluster.this.backup_retention_period == 30
    error_message = "Backups must be kept for the given days."
  }

  assert {
    condition = (
      one(aws_rds_cluster.this.serverlessv2_scaling_configuration).min_capacity == 1 &&
      one(aws_rds_cluster.this.serverlessv2_scaling_configuration).max_capacity == 16
    )
    error_message = "The cluster must have the given minimum and maximum capacity."
  }

  assert {
    condition     = aws_rds_cluster_instance.this[*].identifier == ["service-production-1", "service-production-2"] && aws_rds_cluster_instance.this[*].promotion_tier == [0, 1]
    error_message = "Instances must be numbered, and take over in that order."
  }

  # Access and encryption.
  assert {
    condition = (
      aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.kms_key_id == var.kms_key_arn &&
      aws_rds_cluster.this.manage_master_user_password && aws_rds_cluster.this.master_user_secret_kms_key_id == var.kms_key_arn &&
      alltrue([for instance in aws_rds_cluster_instance.this : instance.performance_insights_enabled && instance.performance_insights_kms_key_id == var.kms_key_arn]) &&
      aws_cloudwatch_log_group.postgresql.kms_key_id == var.kms_key_arn
    )
    error_message = "The environment's key must encrypt storage, the master's password, performance insights and log."
  }

  assert {
    condition = (
      aws_secretsmanager_secret.reader.name == "service-production-reader" && aws_secretsmanager_secret.reader.kms_key_id == var.kms_key_arn &&
      output.reader_secret_arn == aws_secretsmanager_secret.reader.arn
    )
    error_message = "The reader's secret must have the environment's name, and be encrypted with its key."
  }

  assert {
    condition     = aws_secretsmanager_secret.reader.recovery_window_in_days == 30
    error_message = "A deleted secret of a protected environment must be restorable for 30 days."
  }

  assert {
    condition     = aws_rds_cluster.this.iam_database_authentication_enabled && aws_rds_cluster.this.enable_http_endpoint
    error_message = "Logins by IAM and the Data API must be enabled."
  }

  assert {
    condition = { for parameter in aws_rds_cluster_parameter_group.this.parameter : parameter.name => parameter.value if contains(["rds.force_ssl", "idle_session_timeout"], parameter.name) } == {
      "rds.force_ssl"      = "1"
      idle_session_timeout = "240000"
    }
    error_message = "TLS must be forced, and idle sessions must end before 300 s, after which the cluster may pause."
  }

  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible]) && aws_db_subnet_group.this.subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "The cluster must be only in the private subnets."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.from_clients.security_group_id == aws_security_group.database.id &&
      aws_vpc_security_group_ingress_rule.from_clients.referenced_security_group_id == aws_security_group.client.id &&
      aws_vpc_security_group_egress_rule.to_database.security_group_id == aws_security_group.client.id &&
      aws_vpc_security_group_egress_rule.to_database.referenced_security_group_id == aws_security_group.database.id &&
      [for rule in [aws_vpc_security_group_ingress_rule.from_clients, aws_vpc_security_group_egress_rule.to_database] : [rule.from_port, rule.to_port]] == [[5432, 5432], [5432, 5432]]
    )
    error_message = "The clients' security group must reach the database's security group, at the port of PostgreSQL."
  }

  assert {
    condition = (
      [aws_security_group.database.name, aws_security_group.client.name] == ["service-production-database", "service-production-database-client"] &&
      [aws_db_subnet_group.this.name, aws_rds_cluster_parameter_group.this.name] == ["service-production", "service-production"]
    )
    error_message = "Every name must start with the environment's name, because debug workspaces find the security groups by name."
  }

  assert {
    condition = (
      toset(aws_rds_cluster.this.enabled_cloudwatch_logs_exports) == toset(["postgresql"]) &&
      aws_cloudwatch_log_group.postgresql.name == "/aws/rds/cluster/service-production/postgresql" && aws_cloudwatch_log_group.postgresql.retention_in_days == 365
    )
    error_message = "PostgreSQL's log must go to a group that keeps it for the given days."
  }
}

run "a_clone_that_pauses" {
  variables {
    name                = "service-production-fix-1"
    clone_of            = "service-production"
    min_capacity        = 0
    instances           = 1
    deletion_protection = false
  }

  assert {
    condition = (
      one(aws_rds_cluster.this.restore_to_point_in_time).source_cluster_identifier == "service-production" &&
      one(aws_rds_cluster.this.restore_to_point_in_time).restore_type == "copy-on-write" &&
      one(aws_rds_cluster.this.restore_to_point_in_time).use_latest_restorable_time
    )
    error_message = "A clone must be copy-on-write, of the source's latest state."
  }

  assert {
    condition     = output.name == "service" && length(aws_rds_cluster_instance.this) == 1
    error_message = "A clone must take its database from the source."
  }

  assert {
    condition     = one(aws_rds_cluster.this.serverlessv2_scaling_configuration).min_capacity == 0 && one(aws_rds_cluster.this.serverlessv2_scaling_configuration).seconds_until_auto_pause == 300
    error_message = "With a minimum of 0, the cluster must pause after five minutes."
  }

  assert {
    condition     = !aws_rds_cluster.this.deletion_protection && aws_rds_cluster.this.skip_final_snapshot && aws_rds_cluster.this.final_snapshot_identifier == null
    error_message = "Without protection, the cluster must be deletable and leave no snapshot."
  }

  assert {
    condition     = aws_secretsmanager_secret.reader.recovery_window_in_days == 0
    error_message = "Without protection, the secret must be deleted at once, so that it can be made again."
  }
}

run "a_clone_has_no_deletion_protection" {
  command = plan

  variables { clone_of = "service-preproduction" }

  expect_failures = [aws_rds_cluster.this]
}
