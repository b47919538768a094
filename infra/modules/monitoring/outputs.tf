output "topic_arn" {
  description = "ARN of the topic that alarms notify."
  value       = aws_sns_topic.alarms.arn
}
