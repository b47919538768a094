resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.schedules

  # Chalice appends -event to a schedule's name, which would make the longest names too long.
  name                = "${var.name}-${replace(trimsuffix(each.key, "-event"), "_", "-")}"
  description         = each.value.description
  schedule_expression = each.value.schedule_expression
  event_pattern       = each.value.event_pattern
  state               = var.schedules_enabled ? "ENABLED" : "DISABLED"
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.schedules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = each.value.function
  arn       = aws_lambda_alias.live[each.value.function].arn
}

resource "aws_lambda_permission" "schedule" {
  for_each = local.schedules

  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  function_name = aws_lambda_function.this[each.value.function].function_name
  qualifier     = aws_lambda_alias.live[each.value.function].name
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}
