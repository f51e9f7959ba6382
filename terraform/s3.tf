resource "aws_s3_bucket" "backups" {
  bucket = var.bucket_name

  # terraform destroy does not remove a bucket with backups; but what is set below (lifecycle, policy ...) it has removed by
  # then. To leave the stack and keep the bucket as it is, make Terraform forget it first:
  #     terraform state rm $(terraform state list | grep ^aws_s3_bucket)
  force_destroy = false

  # Not here: access logs (CloudTrail's data events tell more, for those who need them) and replication to another region
  # (twice the cost; whoever wants it adds it to this bucket, which has the versioning for it).
}

resource "aws_s3_bucket_versioning" "backups" {
  bucket = aws_s3_bucket.backups.id

  versioning_configuration {
    status = "Enabled"
  }
}

# ACLs off: the bucket's owner owns what is in it, and only policies give rights.
resource "aws_s3_bucket_ownership_controls" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "backups" {
  bucket                  = aws_s3_bucket.backups.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# S3's own key and not the one of kms.tf, on purpose: terraform destroy has that one deleted, while a bucket with backups
# stays. Backups that outlive the stack must be readable without it.
resource "aws_s3_bucket_server_side_encryption_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_policy" "backups" {
  bucket = aws_s3_bucket.backups.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.backups.arn, "${aws_s3_bucket.backups.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two changes of a bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.backups]
}

resource "aws_s3_bucket_lifecycle_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    id     = "expire-backups"
    status = "Enabled"

    filter {
      prefix = local.prefix
    }

    expiration {
      days = var.retention_days
    }

    # Also the time to get back what somebody has removed by mistake.
    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    # The parts of a run that was killed: invisible, but they cost.
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # S3 does not allow this beside a number of days in one rule.
  rule {
    id     = "remove-expired-delete-markers"
    status = "Enabled"

    filter {
      prefix = local.prefix
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.backups]
}

resource "aws_s3_bucket_object_lock_configuration" "backups" {
  count  = var.object_lock_days > 0 ? 1 : 0
  bucket = aws_s3_bucket.backups.id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.backups]
}
