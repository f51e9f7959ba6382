output "bucket" {
  description = "Where the backups are."
  value       = aws_s3_bucket.backups.bucket
}

output "function_name" {
  description = "The function that makes them."
  value       = aws_lambda_function.backup.function_name
}

output "topic_arn" {
  description = "Where failures are reported."
  value       = aws_sns_topic.alerts.arn
}

output "invoke_command" {
  description = "Makes a backup now."
  value       = local.run_now
}

output "list_command" {
  description = "Lists the backups."
  value       = "aws s3 ls ${local.location}/"
}

output "restore_command" {
  description = "Restores a backup with nothing of pana's, into the database of TARGET_URL."
  value       = "aws s3 cp ${local.location}/${local.backup_name} . && ${local.feed_psql}"
}

output "pana_restore_command" {
  description = "Restores the newest complete backup with pana, over several connections."
  value       = "AWS_REGION=${var.aws_region} pana restore ${local.location} --into \"$TARGET_URL\""
}

output "logs_command" {
  description = "Shows what the last runs said."
  value       = local.look_at_log
}

locals {
  psql        = "psql -X -q -o /dev/null -v ON_ERROR_STOP=1 \"$TARGET_URL\""
  backup_name = var.compression == "none" ? "backup_YYYYMMDD_HHMMSS.sql" : "backup_YYYYMMDD_HHMMSS.sql.zst"
  feed_psql   = var.compression == "none" ? "${local.psql} < ${local.backup_name}" : "zstd -dc ${local.backup_name} | ${local.psql}"
}
