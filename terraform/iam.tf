# Each function may do what it does and nothing else; neither may delete.

locals {
  # Only functions of this account: Lambda tells for whom it assumes the role.
  trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  backups_arn = "${aws_s3_bucket.backups.arn}/${local.prefix}*"

  list_backups = {
    Sid       = "ListBackups"
    Effect    = "Allow"
    Action    = "s3:ListBucket"
    Resource  = aws_s3_bucket.backups.arn
    Condition = { StringEquals = { "s3:prefix" = local.prefix } }
  }

  read_url_parameter = {
    Sid      = "ReadDatabaseUrl"
    Effect   = "Allow"
    Action   = "ssm:GetParameter"
    Resource = "arn:${local.partition}:ssm:${var.aws_region}:${local.account}:parameter/${trimprefix(var.supabase_db_url_parameter, "/")}"
  }
}

resource "aws_iam_role" "backup" {
  name               = local.backup_function
  assume_role_policy = local.trust_policy
}

resource "aws_iam_role_policy" "backup" {
  name = "backup"
  role = aws_iam_role.backup.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "WriteBackups"
          Effect   = "Allow"
          Action   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"]
          Resource = local.backups_arn
        },
        local.list_backups, # a run that was delivered twice sees what the first has done
        {
          Sid      = "ReadEnvironmentAndEncryptAlerts"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = aws_kms_key.pana.arn
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.backup.arn}:*"
        },
        {
          Sid      = "Alert"
          Effect   = "Allow"
          Action   = "sns:Publish"
          Resource = aws_sns_topic.alerts.arn
        },
      ],
      [for statement in [local.read_url_parameter] : statement if var.supabase_db_url_parameter != ""],
    )
  })
}

resource "aws_iam_role" "freshness" {
  name               = local.freshness_function
  assume_role_policy = local.trust_policy
}

resource "aws_iam_role_policy" "freshness" {
  name = "freshness"
  role = aws_iam_role.freshness.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.list_backups,
      {
        Sid      = "ReadBackups"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = local.backups_arn
      },
      {
        Sid      = "ReadEnvironment"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.pana.arn
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.freshness.arn}:*"
      },
    ]
  })
}
