# The functions' logins in the database. IAM can limit a login by its name, but not by the cluster, whose id is not known
# before the cluster exists. So the environment, its debug workspaces (d) and its other workspaces (w) have separate
# logins, and the boundary of each kind's roles allows only its own logins.

locals {
  suffix_of_logins = "${var.environment}${local.is_default || local.on_live_data ? "" : local.is_debug ? "_d" : "_w"}"

  app_login      = "${replace(var.system, "-", "_")}_app_${local.suffix_of_logins}"
  migrator_login = local.on_live_data ? null : "${replace(var.system, "-", "_")}_migrator_${local.suffix_of_logins}"
}
