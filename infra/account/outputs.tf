output "state_bucket" {
  description = "Bucket of Terraform's state, for the environments' state.s3.tfbackend."
  value       = aws_s3_bucket.state.bucket
}

output "artifact_bucket" {
  description = "Bucket of the packages. Store its name on GitHub as the variable ARTIFACT_BUCKET."
  value       = local.artifact_bucket
}

output "plan_role_arn" {
  description = "ARN of the role that plans pull requests."
  value       = aws_iam_role.plan.arn
}

output "artifacts_role_arn" {
  description = "ARN of the role that stores packages; null if another account stores them."
  value       = one(aws_iam_role.artifacts[*].arn)
}

output "apply_role_arns" {
  description = "ARNs of the roles that apply environments, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.does == "apply" }
}

output "workspaces_role_arns" {
  description = "ARNs of the roles that create and destroy previews and personal workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.does == "workspaces" }
}

output "debug_role_arns" {
  description = "ARNs of the roles that create and destroy debug workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.does == "debug" }
}

output "reap_role_arns" {
  description = "ARNs of the roles that only destroy previews and personal workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.does == "reap" }
}

output "reap_debug_role_arns" {
  description = "ARNs of the roles that only destroy debug workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.does == "reap-debug" }
}

output "verify_role_arns" {
  description = "ARNs of the roles that only count the daily verifications, by environment."
  value       = { for name, role in aws_iam_role.verify : name => role.arn }
}

output "people_role_arns" {
  description = "ARNs of the roles of people, by role. A role without members does not exist."
  value       = { for name, role in aws_iam_role.people : name => role.arn }
}

output "people_policy_arns" {
  description = "ARNs of the policies for people, for permission sets of IAM Identity Center, by role."
  value       = { for name, policy in aws_iam_policy.watching : name => policy.arn }
}

output "permissions_boundary_arns" {
  description = "ARNs of the policies that limit the roles of environments and workspaces, by environment and kind."
  value       = { for target, policy in aws_iam_policy.boundary : target => policy.arn }
}
