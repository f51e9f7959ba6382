# Every variable refuses what cannot work, at plan. Nothing here talks to AWS.
#
# A run fails unless exactly the named variables complain, so one run holds one bad value of each; but a variable whose
# condition looks at another (object_lock_days, max_backup_age_hours, supabase_db_url_parameter) is not judged when that
# one is bad. supabase_db_url is judged by the function that gets it (lambda.tf says why), and only when all variables are well.

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

variables {
  aws_region      = "eu-central-1"
  alert_email     = "ops@example.com"
  supabase_db_url = "postgresql://postgres.ref:secret@aws-0-eu-central-1.pooler.supabase.com:5432/postgres?sslmode=require"
  lambda_zip      = "versions.tf" # any file: nothing is uploaded
}

run "nonsense" {
  command = plan

  variables {
    aws_region         = "Frankfurt"
    alert_email        = "ops at example.com"
    ssl_root_cert      = "no-such-file.pem"
    exclude_schemas    = ["audit", " "]
    jobs               = 0
    compression        = "gzip"
    backup_schedule    = "every week"
    bucket_name        = "Pana_Backups"
    retention_days     = 9.5
    memory_size        = 128
    timeout            = 59
    log_retention_days = 31
  }

  expect_failures = [
    var.aws_region, var.alert_email, var.ssl_root_cert, var.exclude_schemas, var.jobs, var.compression,
    var.backup_schedule, var.bucket_name, var.retention_days, var.memory_size, var.timeout,
    var.log_retention_days,
  ]
}

run "near_misses" {
  command = plan

  variables {
    aws_region         = "eu-central"
    alert_email        = "ops@localhost"
    ssl_root_cert      = "versions.tf" # a file, but no certificate
    jobs               = 65
    compression        = "zstd:20"
    backup_schedule    = "rate(7 day)"
    bucket_name        = "pana.db.backups" # no certificate of S3 fits a name with dots
    object_lock_days   = 31
    memory_size        = 10241
    timeout            = 901
    log_retention_days = 0
  }

  expect_failures = [
    var.aws_region, var.alert_email, var.ssl_root_cert, var.jobs, var.compression, var.backup_schedule,
    var.bucket_name, var.object_lock_days, var.memory_size, var.timeout, var.log_retention_days,
  ]
}

run "more_near_misses" {
  command = plan

  variables {
    backup_schedule  = "rate(1 days)"
    jobs             = 2.5
    object_lock_days = -1
  }

  expect_failures = [var.backup_schedule, var.jobs, var.object_lock_days]
}

run "cron_with_five_fields" {
  command = plan

  variables {
    backup_schedule = "cron(0 2 * * *)"
  }

  expect_failures = [var.backup_schedule]
}

run "cron_without_a_question_mark" {
  command = plan

  variables {
    backup_schedule = "cron(0 2 * * * *)"
  }

  expect_failures = [var.backup_schedule]
}

run "url_of_the_transaction_mode" {
  command = plan

  variables {
    supabase_db_url = "postgresql://postgres.ref:secret@aws-0-eu-central-1.pooler.supabase.com:6543/postgres"
  }

  expect_failures = [aws_lambda_function.backup]
}

run "two_urls" {
  command = plan

  variables {
    supabase_db_url_parameter = "/pana/database-url"
    backup_schedule           = "rate(0 days)"
  }

  expect_failures = [var.supabase_db_url_parameter, var.backup_schedule]
}

run "no_url" {
  command = plan

  variables {
    supabase_db_url      = ""
    max_backup_age_hours = 168 # as long as the interval: it would go off between two good backups
  }

  expect_failures = [var.supabase_db_url_parameter, var.max_backup_age_hours]
}

run "arn_instead_of_a_name" {
  command = plan

  variables {
    supabase_db_url           = ""
    supabase_db_url_parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/pana"
    max_backup_age_hours      = 720 # the last backup has expired by then
  }

  expect_failures = [var.supabase_db_url_parameter, var.max_backup_age_hours]
}

run "the_direct_host_is_a_warning" {
  command = plan

  variables {
    supabase_db_url = "postgresql://postgres:secret@db.abcdefghijklmnopqrst.supabase.co:5432/postgres"
  }

  expect_failures = [check.direct_host]
}

run "arm64" {
  command = plan

  variables {
    architecture = "arm64"
  }

  assert {
    condition     = aws_lambda_function.backup.architectures == tolist(["arm64"]) && aws_lambda_function.freshness.architectures == tolist(["arm64"])
    error_message = "both functions run on the processor that was asked for"
  }
}

run "another_processor" {
  command = plan

  variables {
    architecture = "riscv64"
  }

  expect_failures = [var.architecture]
}

run "the_zip_of_another_processor" {
  command = plan

  variables {
    lambda_zip = "../dist/pana-lambda-arm64.zip"
  }

  expect_failures = [aws_lambda_function.backup]
}

run "no_zip" {
  command = plan

  variables {
    lambda_zip = "no-such-file.zip"
  }

  expect_failures = [aws_lambda_function.backup]
}

run "every_week" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.backup.schedule_expression == "rate(7 days)"
    error_message = "the default schedule is another"
  }
}

run "every_day" {
  command = plan

  variables {
    backup_schedule      = "rate(1 day)"
    max_backup_age_hours = 30
  }

  assert {
    condition     = aws_cloudwatch_event_rule.backup.schedule_expression == "rate(1 day)"
    error_message = "rate(1 day) did not arrive"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.backup_age.threshold == 30 * 3600
    error_message = "the alarm does not follow max_backup_age_hours"
  }
}

run "every_night" {
  command = plan

  variables {
    backup_schedule = "cron(0 2 * * ? *)"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.backup.schedule_expression == "cron(0 2 * * ? *)"
    error_message = "cron(0 2 * * ? *) did not arrive"
  }
}

run "every_second_sunday_or_workday" {
  command = plan

  variables {
    backup_schedule = "cron(30 3/6 ? JAN-DEC SUN#2,MON-FRI 2026-2030)"
  }
}

run "every_month_with_an_alarm_after_a_week" {
  command = plan

  variables {
    backup_schedule = "cron(0 2 1 * ? *)"
  }

  expect_failures = [var.max_backup_age_hours]
}
