output "dashboards" {
  description = "Names of the dashboards: for people on call, and for developers."
  value       = { on_call = aws_cloudwatch_dashboard.on_call.dashboard_name, developers = aws_cloudwatch_dashboard.developers.dashboard_name }
}
