data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  backup_function    = "pana_db_backup"
  freshness_function = "pana_db_freshness"

  prefix   = "backups/"
  location = "s3://${var.bucket_name}/backups"

  # The interval of a rate; 0 for a cron expression, whose interval is not so easily had.
  rate           = try(regex("^rate\\(([0-9]+) (minute|hour|day)s?\\)$", var.backup_schedule), ["0", "hour"])
  schedule_hours = tonumber(local.rate[0]) * { minute = 1 / 60, hour = 1, day = 24 }[local.rate[1]]
}
