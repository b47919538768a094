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
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if !applier.workspaces_only }
}

output "workspaces_role_arns" {
  description = "ARNs of the roles that create and destroy workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.workspaces_only && !applier.destroys_only }
}

output "reap_role_arns" {
  description = "ARNs of the roles that only destroy workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.destroys_only }
}

output "permissions_boundary_arns" {
  description = "ARNs of the policies that limit all roles of an environment, by environment."
  value       = { for name, policy in aws_iam_policy.boundary : name => policy.arn }
}
