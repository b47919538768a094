output "main" {
  description = "What the tool that deploys, and people, have to know of it."
  value       = module.main
}
