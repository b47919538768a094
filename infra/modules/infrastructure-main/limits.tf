locals {
  # Aurora accepts LEAST(memory / 9531392, 5000) connections. The memory is that of the maximum capacity, 2 GiB a unit,
  # without the part that RDS uses: one unit accepts 189 connections, not 225. So count on 80 % of the memory. With a
  # minimum capacity below 1, Aurora accepts at most 2,000.
  # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html#aurora-serverless-v2.max-connections
  database_max_connections = min(
    floor(var.database.max_capacity * 2 * pow(1024, 3) / 9531392 * 0.8),
    var.database.min_capacity < 1 ? 2000 : 5000,
  )
}
