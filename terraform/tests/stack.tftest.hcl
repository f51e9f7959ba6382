# What the variables lead to, as far as a plan knows it. What is decided during apply (ARNs) stands in for it here.
# (override_during needs Terraform 1.11; the configuration itself does not.)

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_resource {
  target          = aws_kms_key.pana
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:123456789012:key/k", key_id = "k" }
}

override_resource {
  target          = aws_sns_topic.alerts
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-central-1:123456789012:pana-db-backup-alerts" }
}

override_resource {
  target          = aws_s3_bucket.backups
  override_during = plan
  values          = { arn = "arn:aws:s3:::pana-db-backups", id = "pana-db-backups" }
}

override_resource {
  target          = aws_cloudwatch_log_group.backup
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/pana_db_backup" }
}

override_resource {
  target          = aws_cloudwatch_log_group.freshness
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/pana_db_freshness" }
}

variables {
  aws_region      = "eu-central-1"
  alert_email     = "ops@example.com"
  supabase_db_url = "postgresql://postgres.ref:secret@aws-0-eu-central-1.pooler.supabase.com:5432/postgres?sslmode=require"
  lambda_zip      = "versions.tf" # any file: nothing is uploaded
}

run "defaults" {
  command = plan

  assert {
    condition     = keys(nonsensitive(aws_lambda_function.backup.environment[0].variables)) == tolist(["DATABASE_URL", "PANA_COMPRESSION", "PANA_EXCLUDE_SCHEMAS", "PANA_JOBS", "PANA_LOCATION", "PANA_TOPIC_ARN"])
    error_message = "the backup's environment is another: ${jsonencode(keys(nonsensitive(aws_lambda_function.backup.environment[0].variables)))}"
  }

  assert {
    condition     = aws_lambda_function.freshness.environment[0].variables == tomap({ PANA_LOCATION = "s3://pana-db-backups/backups", PANA_EXCLUDE_SCHEMAS = "[]" })
    error_message = "freshness knows more than it needs"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.backup.policy).Statement : statement.Sid] == ["WriteBackups", "ListBackups", "ReadEnvironmentAndEncryptAlerts", "WriteLogs", "Alert"]
    error_message = "the backup's rights are others: ${aws_iam_role_policy.backup.policy}"
  }

  assert {
    condition     = length(aws_s3_bucket_object_lock_configuration.backups) == 0
    error_message = "Object Lock is on although nobody asked for it"
  }
}

run "everything_set" {
  command = plan

  variables {
    supabase_db_url           = ""
    supabase_db_url_parameter = "/pana/database-url"
    ssl_root_cert             = "tests/certificate.pem"
    exclude_schemas           = ["audit", "It's \"odd\""]
    jobs                      = 8
    compression               = "zstd:19"
    object_lock_days          = 14
    timeout                   = 600
    memory_size               = 3538
    retention_days            = 60
  }

  assert {
    condition = aws_lambda_function.backup.environment[0].variables == tomap({
      PANA_LOCATION               = "s3://pana-db-backups/backups"
      PANA_TOPIC_ARN              = "arn:aws:sns:eu-central-1:123456789012:pana-db-backup-alerts"
      PANA_JOBS                   = "8"
      PANA_COMPRESSION            = "zstd:19"
      PANA_EXCLUDE_SCHEMAS        = "[\"audit\",\"It's \\\"odd\\\"\"]"
      PANA_SSL_ROOT_CERT          = file("tests/certificate.pem")
      PANA_DATABASE_URL_PARAMETER = "/pana/database-url"
    })
    error_message = "the environment is another: ${jsonencode(aws_lambda_function.backup.environment[0].variables)}"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.backup.policy).Statement : statement if statement.Sid == "ReadDatabaseUrl"] == [{
      Sid      = "ReadDatabaseUrl"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "arn:aws:ssm:eu-central-1:123456789012:parameter/pana/database-url"
    }]
    error_message = "the function cannot read its parameter: ${aws_iam_role_policy.backup.policy}"
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.backups[0].rule[0].default_retention[0].mode == "GOVERNANCE" && aws_s3_bucket_object_lock_configuration.backups[0].rule[0].default_retention[0].days == 14
    error_message = "Object Lock is another"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.backup_duration.threshold == 480000
    error_message = "the alarm of the duration does not follow the timeout"
  }

  assert {
    condition     = output.restore_command == "aws s3 cp s3://pana-db-backups/backups/backup_YYYYMMDD_HHMMSS.sql.zst . && zstd -dc backup_YYYYMMDD_HHMMSS.sql.zst | psql -X -q -o /dev/null -v ON_ERROR_STOP=1 \"$TARGET_URL\""
    error_message = "the restore of compressed backups is another"
  }
}
