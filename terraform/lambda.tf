# One zip, two functions: the handler's name tells the program which of both it is.
#
# Not here: a VPC (the database is reached over the internet, with TLS; a VPC would need a NAT gateway for that), code
# signing (the zip comes from this machine, which has the right to deploy anyway), reserved concurrency (new accounts have
# ten executions in all, of which none can be reserved; two runs at once do each other no harm).

locals {
  zip_sha256 = try(filebase64sha256(var.lambda_zip), "")
}

resource "aws_lambda_function" "backup" {
  function_name    = local.backup_function
  description      = "Backs the database up to ${local.location}"
  role             = aws_iam_role.backup.arn
  filename         = var.lambda_zip
  source_code_hash = local.zip_sha256
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = "backup"
  memory_size      = var.memory_size
  timeout          = var.timeout
  kms_key_arn      = aws_kms_key.pana.arn

  environment {
    variables = merge(
      {
        PANA_LOCATION        = local.location
        PANA_TOPIC_ARN       = aws_sns_topic.alerts.arn
        PANA_JOBS            = tostring(var.jobs)
        PANA_COMPRESSION     = var.compression
        PANA_EXCLUDE_SCHEMAS = jsonencode(var.exclude_schemas)
      },
      var.supabase_db_url_parameter == "" ? { DATABASE_URL = var.supabase_db_url } : { PANA_DATABASE_URL_PARAMETER = var.supabase_db_url_parameter },
      var.ssl_root_cert == "" ? {} : { PANA_SSL_ROOT_CERT = file(var.ssl_root_cert) },
    )
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.backup.name
  }

  # Not validations of the variables: those would print the URL that they refuse, and terraform destroy would need the zip.
  lifecycle {
    precondition {
      condition     = var.supabase_db_url == "" || can(regex("^postgres(ql)?://[^[:space:]]+$", var.supabase_db_url))
      error_message = "supabase_db_url is not a URL of PostgreSQL: give postgresql://USER:PASSWORD@HOST:5432/postgres, without spaces"
    }

    precondition {
      condition     = !strcontains(upper(var.supabase_db_url), "[YOUR-PASSWORD]")
      error_message = "supabase_db_url still holds [YOUR-PASSWORD]: put the database's password there, characters like @ : / ? # percent-encoded"
    }

    precondition {
      condition     = !can(regex("^[a-z]+://[^:@/?#]+:PASSWORD@", var.supabase_db_url))
      error_message = "supabase_db_url still holds the example's PASSWORD: put the database's password there, characters like @ : / ? # percent-encoded"
    }

    precondition {
      condition     = !can(regex("^[a-z]+://[^?]*@[^?]*@|^[a-z]+://[^@?#/]*[/?#].*@", var.supabase_db_url))
      error_message = "supabase_db_url holds a second @, or a / ? # before its @: in the password these are written %40 %2F %3F %23"
    }

    precondition {
      condition     = !can(regex("^[a-z]+://[^/?#]*:6543([/?#]|$)|[?&]port=6543(&|$)", var.supabase_db_url))
      error_message = "supabase_db_url names port 6543, the pooler's transaction mode, in which a backup is not possible: use the session pooler, same host, port 5432"
    }

    precondition {
      condition     = !can(regex("[?&]sslmode=(disable|allow|prefer)(&|$)", var.supabase_db_url))
      error_message = "supabase_db_url allows a connection without TLS: use sslmode=require, or verify-full together with ssl_root_cert"
    }

    precondition {
      condition     = fileexists(var.lambda_zip)
      error_message = "there is no ${var.lambda_zip}: build it with scripts/package-lambda, or set lambda_zip to where it is"
    }

    precondition {
      condition     = var.architecture == "arm64" || !endswith(var.lambda_zip, "arm64.zip")
      error_message = "${var.lambda_zip} is for arm64: set architecture to \"arm64\""
    }
  }

  depends_on = [aws_iam_role_policy.backup] # a function without rights could be invoked
}

# The dead man's switch: finds the newest complete backup and says how old it is. It knows no database.
resource "aws_lambda_function" "freshness" {
  function_name    = local.freshness_function
  description      = "Measures the age of the newest backup in ${local.location}"
  role             = aws_iam_role.freshness.arn
  filename         = var.lambda_zip
  source_code_hash = local.zip_sha256
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = "freshness"
  memory_size      = 256
  timeout          = 60
  kms_key_arn      = aws_kms_key.pana.arn

  environment {
    variables = {
      PANA_LOCATION        = local.location
      PANA_EXCLUDE_SCHEMAS = jsonencode(var.exclude_schemas)
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.freshness.name
  }

  depends_on = [aws_iam_role_policy.freshness, aws_lambda_function.backup] # its precondition speaks for both
}

# The logs hold no secret and no row: CloudWatch's own encryption is enough for them.
resource "aws_cloudwatch_log_group" "backup" {
  name              = "/aws/lambda/${local.backup_function}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "freshness" {
  name              = "/aws/lambda/${local.freshness_function}"
  retention_in_days = var.log_retention_days
}

# A crash, a timeout and a lack of memory are failures that the function cannot report itself: AWS does, to the topic.
resource "aws_lambda_function_event_invoke_config" "backup" {
  function_name          = aws_lambda_function.backup.function_name
  maximum_retry_attempts = 1

  destination_config {
    on_failure {
      destination = aws_sns_topic.alerts.arn
    }
  }
}

check "direct_host" {
  assert {
    condition     = !can(regex("@db[.][a-z0-9]+[.]supabase[.]co[:/?]", var.supabase_db_url))
    error_message = "supabase_db_url names the direct host, which can only be reached if the project has the IPv4 add-on: without it, use the session pooler's URL"
  }
}
