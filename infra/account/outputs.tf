output "state_bucket" {
  description = "Where environments keep Terraform's state: bucket of their state.s3.tfbackend."
  value       = aws_s3_bucket.state.bucket
}

output "artifact_bucket" {
  description = "Where packages are kept: ARTIFACT_BUCKET of the pipelines."
  value       = local.artifact_bucket
}

output "plan_role_arn" {
  description = "The role of pull requests."
  value       = aws_iam_role.plan.arn
}

output "artifacts_role_arn" {
  description = "The role that keeps packages; null where another account keeps them."
  value       = one(aws_iam_role.artifacts[*].arn)
}

output "apply_role_arns" {
  description = "The role that applies an environment, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if !applier.workspaces_only }
}

output "workspaces_role_arns" {
  description = "The role that makes and destroys its workspaces, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.workspaces_only && !applier.destroys_only }
}

output "reap_role_arns" {
  description = "The role that destroys its workspaces and makes nothing, by environment."
  value       = { for key, applier in local.appliers : applier.environment => aws_iam_role.apply[key].arn if applier.destroys_only }
}

output "permissions_boundary_arns" {
  description = "What roles of an environment may do at most, by environment."
  value       = { for name, policy in aws_iam_policy.boundary : name => policy.arn }
}
