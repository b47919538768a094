output "main" {
  description = "What the tool that deploys, and people, have to know of it."
  value       = module.main
}

output "made_with" {
  description = "What a workspace was made with: the tool that applies says it again each time."
  value = {
    workspace_purpose = var.workspace_purpose
    database_source   = var.database_source
    owner             = var.owner
  }
}
