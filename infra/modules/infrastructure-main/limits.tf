locals {
  # Aurora's formula is LEAST(memory / 9531392, 5000), with 2 GiB per unit. Subtract what PostgreSQL and RDS reserve. A
  # cluster that may pause accepts at most 2,000.
  database_max_connections = min(
    floor(var.database.max_capacity * 2 * pow(1024, 3) / 9531392 * 0.8),
    var.database.min_capacity < 1 ? 2000 : 5000,
  )
}
