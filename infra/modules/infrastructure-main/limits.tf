locals {
  # Aurora's formula, LEAST(memory / 9531392, 5000) with 2 GiB a unit, less what PostgreSQL and RDS keep for themselves;
  # a cluster that may pause takes 2,000 at most.
  database_max_connections = min(
    floor(var.database.max_capacity * 2 * pow(1024, 3) / 9531392 * 0.8),
    var.database.min_capacity < 1 ? 2000 : 5000,
  )
}
