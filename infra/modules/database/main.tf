# Aurora PostgreSQL Serverless v2. Functions log in with IAM tokens, people with the reader's password. AWS keeps the
# master's password, and only the bootstrap function reads it, to create the logins.

locals {
  cloned = var.clone_of != null
  # The cluster can't pause while connections are open, and functions keep connections open between calls. So PostgreSQL
  # ends idle connections first.
  idle_session_timeout_ms = 240 * 1000
  pause_after_seconds     = 300
}

# Without a name of its own, the snapshot of a second cluster would have the name of the first one's, which stays.
resource "terraform_data" "final_snapshot" {
  count = var.deletion_protection ? 1 : 0
  input = substr(sha256(uuid()), 0, 8)

  lifecycle {
    ignore_changes = [input] # uuid() differs in each run
  }
}

resource "aws_rds_cluster" "this" {
  #checkov:skip=CKV2_AWS_8: Aurora's own backups restore any second of the environment's retention period
  cluster_identifier = var.name

  engine         = "aurora-postgresql"
  engine_mode    = "provisioned"
  engine_version = var.engine_version
  port           = 5432

  # A clone takes the names of the database and of the master user from its source.
  database_name   = local.cloned ? null : var.database_name
  master_username = local.cloned ? null : "cluster_owner"

  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  iam_database_authentication_enabled = true

  # The Data API, for the bootstrap function. A clone is created without it: tools/aws/deploy.py enables it there.
  enable_http_endpoint = true

  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name

  storage_encrypted = true
  kms_key_id        = var.kms_key_arn

  serverlessv2_scaling_configuration {
    min_capacity             = var.min_capacity
    max_capacity             = var.max_capacity
    seconds_until_auto_pause = var.min_capacity == 0 ? local.pause_after_seconds : null
  }

  # A clone shares each page with its source until the page changes. So any amount of data is cloned quickly.
  dynamic "restore_to_point_in_time" {
    for_each = local.cloned ? [var.clone_of] : []

    content {
      source_cluster_identifier  = restore_to_point_in_time.value
      restore_type               = "copy-on-write"
      use_latest_restorable_time = true
    }
  }

  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = "01:00-02:00"
  preferred_maintenance_window = "sun:02:30-sun:03:30"
  copy_tags_to_snapshot        = true
  deletion_protection          = var.deletion_protection
  skip_final_snapshot          = !var.deletion_protection
  final_snapshot_identifier    = one([for each in terraform_data.final_snapshot : "${var.name}-final-${each.output}"])

  enabled_cloudwatch_logs_exports = ["postgresql"]

  depends_on = [aws_cloudwatch_log_group.postgresql]

  lifecycle {
    precondition {
      condition     = !(local.cloned && var.deletion_protection)
      error_message = "A clone is destroyed with its workspace: set deletion_protection to false."
    }
  }
}

resource "aws_rds_cluster_instance" "this" {
  #checkov:skip=CKV_AWS_118: performance insights and the cluster's metrics are enough for a serverless instance
  count = var.instances

  identifier         = "${var.name}-${count.index + 1}"
  cluster_identifier = aws_rds_cluster.this.id
  instance_class     = "db.serverless"
  engine             = aws_rds_cluster.this.engine # its version is the cluster's

  # Instances of tiers 0 and 1 scale with the writer, so they can take over at once.
  promotion_tier             = count.index
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  ca_cert_identifier         = "rds-ca-rsa2048-g1" # the functions ship with this authority's certificates

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
}

# The bootstrap function stores the value, so that the password is in no plan and in no state.
resource "aws_secretsmanager_secret" "reader" {
  #checkov:skip=CKV2_AWS_57: to change the password, store another one here and deploy
  name        = "${var.name}-reader"
  description = "Login of people who read the database of ${var.name}"
  kms_key_id  = var.kms_key_arn

  # A secret that AWS still keeps would block the secret of a new database of this name.
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_rds_cluster_parameter_group" "this" {
  name        = var.name
  description = "Requires TLS, and ends idle sessions"
  family      = "aurora-postgresql16"

  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "immediate"
  }

  parameter {
    name         = "idle_session_timeout"
    value        = tostring(local.idle_session_timeout_ms)
    apply_method = "immediate"
  }

  parameter {
    name         = "log_min_duration_statement"
    value        = "1000"
    apply_method = "immediate"
  }

  parameter {
    name         = "log_statement"
    value        = "ddl"
    apply_method = "immediate"
  }
}

# Without this resource, RDS would create the log group itself and keep the logs forever.
resource "aws_cloudwatch_log_group" "postgresql" {
  #checkov:skip=CKV_AWS_338: each environment chooses how long it keeps logs
  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "The database of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database" }
}

resource "aws_security_group" "client" {
  #checkov:skip=CKV2_AWS_5: the functions of the module api use this security group
  name        = "${var.name}-database-client"
  description = "Clients of the database of ${var.name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database-client" }
}

resource "aws_vpc_security_group_ingress_rule" "from_clients" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.client.id
  description                  = "PostgreSQL from its clients"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432

  tags = { Name = "${var.name}-from-clients" }
}

resource "aws_vpc_security_group_egress_rule" "to_database" {
  security_group_id            = aws_security_group.client.id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "PostgreSQL to the database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432

  tags = { Name = "${var.name}-to-database" }
}
