resource "aws_sns_topic" "alerts" {
  name              = "pana-db-backup-alerts"
  kms_master_key_id = aws_kms_key.pana.arn
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount" # the function's right to publish is in its own role
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alerts.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

# AWS mails a link to this address; nothing arrives before somebody has followed it.
resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

# The descriptions are written for who gets the mail. Alarms that count events go back to OK by themselves when the hour is
# over: that mail does not mean that there is a backup, and the descriptions say so.
#
# A failed run is counted in the minute in which it began, up to 15 minutes ago: a period shorter than an hour would miss it.

locals {
  look_at_log = "aws logs tail ${aws_cloudwatch_log_group.backup.name} --since 3h --region ${var.aws_region}"
  run_now     = "aws lambda invoke --function-name ${local.backup_function} --cli-read-timeout 0 --region ${var.aws_region} response.json"
}

resource "aws_cloudwatch_metric_alarm" "backup_errors" {
  alarm_name        = "pana_db_backup_failed"
  alarm_description = <<-EOT
    A backup of the database failed, and there is no new backup. Another mail says why; if it does not, look at the log: ${local.look_at_log}
    Once the cause is gone, start a backup: ${local.run_now}
    OK after this means only that no other run failed within an hour.
  EOT

  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.backup.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "backup_throttles" {
  alarm_name        = "pana_db_backup_throttled"
  alarm_description = <<-EOT
    AWS did not start a backup, because too many functions run in this account at the same time. It tries again for up to six hours.
    Look whether there is a backup: aws s3 ls ${local.location}/ ; if not, start one: ${local.run_now}
    If this happens again, ask AWS (Service Quotas) for more concurrent executions.
  EOT

  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.backup.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "backup_not_invoked" {
  alarm_name        = "pana_db_backup_not_invoked"
  alarm_description = <<-EOT
    The schedule could not start the backup: the rule backup_schedule has lost its right to invoke the function, or the function is gone.
    terraform plan shows what was changed, terraform apply repairs it. Then start a backup: ${local.run_now}
  EOT

  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.backup.name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "backup_duration" {
  alarm_name        = "pana_db_backup_slow"
  alarm_description = <<-EOT
    A backup took more than 80 % of the ${var.timeout} s that it may take. It may have succeeded, but as the database grows, one will not.
    Raise memory_size (more memory is a faster processor) and jobs, and timeout if it is below 900, which is Lambda's limit.
  EOT

  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = aws_lambda_function.backup.function_name }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.timeout * 1000 * 0.8
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "backup_undelivered" {
  alarm_name        = "pana_db_backup_failure_not_reported"
  alarm_description = <<-EOT
    A backup failed, and AWS could not report that to the topic ${aws_sns_topic.alerts.name}. Look at the log: ${local.look_at_log}
    terraform plan shows whether the role, the topic or the key was changed, terraform apply repairs it.
  EOT

  namespace           = "AWS/Lambda"
  metric_name         = "DestinationDeliveryFailures"
  dimensions          = { FunctionName = aws_lambda_function.backup.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "freshness_errors" {
  alarm_name        = "pana_db_freshness_failed"
  alarm_description = <<-EOT
    The function that watches over the age of the backups failed, or found no complete backup. Look whether there is one: aws s3 ls ${local.location}/
    If not, start one: ${local.run_now}
    Look at its log: aws logs tail ${aws_cloudwatch_log_group.freshness.name} --since 24h --region ${var.aws_region}
  EOT

  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.freshness.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

# CloudWatch looks back seven days at most and cannot count weekly events: it is told the age instead. What is missing counts
# as too old, so this goes off as well when the watching function stops. Backups expire after retention_days: this alarm
# is what makes that safe.
resource "aws_cloudwatch_metric_alarm" "backup_age" {
  alarm_name        = "pana_db_backup_too_old"
  alarm_description = <<-EOT
    There is no complete backup that is younger than ${var.max_backup_age_hours} hours, or its age was not measured for a day. Old backups expire after ${var.retention_days} days: act before the last one does.
    Look at what there is: aws s3 ls ${local.location}/ and at the log: ${local.look_at_log}
    Start a backup: ${local.run_now}
    Right after the first deployment this is normal, until the first backup is made. OK comes within a day after a good backup.
  EOT

  namespace           = "Pana"
  metric_name         = "BackupAgeSeconds"
  dimensions          = { FunctionName = aws_lambda_function.freshness.function_name }
  statistic           = "Maximum"
  period              = 86400
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.max_backup_age_hours * 3600
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "backup_size" {
  alarm_name        = "pana_db_backup_shrunk"
  alarm_description = <<-EOT
    The newest backup is less than half as large as the one before. If nobody removed that much on purpose, rows are gone from the database.
    Compare: aws s3 ls ${local.location}/ ; and before the older backups expire after ${var.retention_days} days, copy the last good one to another place.
  EOT

  namespace           = "Pana"
  metric_name         = "BackupSizePercent"
  dimensions          = { FunctionName = aws_lambda_function.freshness.function_name }
  statistic           = "Minimum"
  period              = 86400
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 50
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}
