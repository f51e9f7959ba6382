# One key, for the functions' environment and the topic. The backups do not depend on it: see s3.tf.
resource "aws_kms_key" "pana" {
  description         = "pana: environment of the functions, alerts"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RightsAreGivenByThisAccountsPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*" # in a key's policy: this key
      },
      {
        # Without this, alarms are dropped silently: CloudWatch cannot publish to an encrypted topic.
        Sid       = "AlarmsAreEncrypted"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "pana" {
  name          = "alias/pana-db-backup"
  target_key_id = aws_kms_key.pana.key_id
}
