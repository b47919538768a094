output "main" {
  description = "Outputs of the environment, for the tools that deploy and for people."
  value       = module.main
}

output "made_with" {
  description = "Choices that a workspace was created with. `make plan` and `make apply` use them again."
  value = {
    workspace_purpose = var.workspace_purpose
    database_source   = var.database_source
    owner             = var.owner
  }
}

output "dependencies" {
  description = "The external systems that the environment uses, by key."
  value       = module.main.dependencies
}
