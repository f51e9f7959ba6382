# A rate counts from the rule's creation: the first run of rate(7 days) is a week away. Invoke once by hand after apply.
resource "aws_cloudwatch_event_rule" "backup" {
  name                = "backup_schedule"
  description         = "Starts ${local.backup_function}"
  schedule_expression = var.backup_schedule
}

# The event is passed on as it is: its id tells a run that was delivered twice.
resource "aws_cloudwatch_event_target" "backup" {
  rule = aws_cloudwatch_event_rule.backup.name
  arn  = aws_lambda_function.backup.arn
}

resource "aws_lambda_permission" "backup" {
  statement_id  = "backup_schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.backup.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.backup.arn
}

resource "aws_cloudwatch_event_rule" "freshness" {
  name                = "freshness_schedule"
  description         = "Starts ${local.freshness_function}"
  schedule_expression = "rate(12 hours)" # at least one measurement in each day that the alarm looks at
}

resource "aws_cloudwatch_event_target" "freshness" {
  rule  = aws_cloudwatch_event_rule.freshness.name
  arn   = aws_lambda_function.freshness.arn
  input = jsonencode({})
}

resource "aws_lambda_permission" "freshness" {
  statement_id  = "freshness_schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.freshness.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.freshness.arn
}
