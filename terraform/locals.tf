data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  backup_function    = "pana_db_backup"
  freshness_function = "pana_db_freshness"

  prefix   = "backups/"
  location = "s3://${var.bucket_name}/backups"

  # The longest interval of the schedule, in hours: of a rate what it says, of a cron expression what its day of month and
  # day of week allow; 0 where that is not so easily had.
  rate    = try(regex("^rate\\(([0-9]+) (minute|hour|day)s?\\)$", var.backup_schedule), ["0", "hour"])
  cron    = try(split(" ", regex("^cron\\((.*)\\)$", var.backup_schedule)[0]), [])
  any_day = ["*", "?"]
  cron_hours = length(local.cron) != 6 ? 0 : (
    local.cron[3] != "*" ? 0 :
    !contains(local.any_day, local.cron[2]) ? 24 * 31 :
    !contains(local.any_day, local.cron[4]) ? 24 * 7 : 24
  )
  schedule_hours = max(tonumber(local.rate[0]) * { minute = 1 / 60, hour = 1, day = 24 }[local.rate[1]], local.cron_hours)
}
