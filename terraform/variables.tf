# What must be given: aws_region, alert_email, and one of supabase_db_url and supabase_db_url_parameter.

variable "aws_region" {
  description = "AWS region of everything, e.g. eu-central-1: best the one of the database, whose rows then stay there."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region is not the name of a region: give it like eu-central-1"
  }
}

variable "alert_email" {
  description = "Who gets a mail when a backup fails. AWS asks this address once to confirm the subscription."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$", var.alert_email)) && var.alert_email != "you@example.com"
    error_message = "alert_email is not a mail address, or still the example's: give the address that is to receive failures, like you@example.com"
  }
}

# The database

variable "supabase_db_url" {
  description = <<-EOT
    URL of the database, as Supabase's dashboard shows it under Connect > Session pooler (port 5432). It is kept in the
    function's environment, encrypted, and in Terraform's state in plain text; supabase_db_url_parameter avoids the latter.
    Not the direct host (db.<project>.supabase.co): without the IPv4 add-on it has IPv6 only, which a function outside a VPC
    has not.
  EOT
  type        = string
  default     = ""
  sensitive   = true

  # What it must look like is said in lambda.tf: Terraform prints the value that a validation refuses, here the password.
}

variable "supabase_db_url_parameter" {
  description = <<-EOT
    Instead of supabase_db_url: name of an SSM parameter that holds it, so that the URL is in no state file. Make it
    before apply: aws ssm put-parameter --name /pana/database-url --type SecureString --value 'postgresql://...'
  EOT
  type        = string
  default     = ""

  validation {
    condition     = var.supabase_db_url_parameter == "" || can(regex("^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", var.supabase_db_url_parameter))
    error_message = "supabase_db_url_parameter is not the name of an SSM parameter: give the name alone, like /pana/database-url, not its ARN"
  }

  validation {
    condition     = (var.supabase_db_url == "") != (var.supabase_db_url_parameter == "")
    error_message = "which database? set either supabase_db_url or supabase_db_url_parameter, and not both"
  }
}

variable "ssl_root_cert" {
  description = "Path of the certificate (PEM) that signs the database's, for sslmode=verify-full; Supabase: Database settings > SSL configuration."
  type        = string
  default     = ""

  validation {
    condition     = var.ssl_root_cert == "" || can(regex("-----BEGIN CERTIFICATE-----", file(var.ssl_root_cert)))
    error_message = "ssl_root_cert is not a file with a PEM certificate: download it from the dashboard and give its path"
  }

  # Lambda's limit for all variables of the environment together is 4 KB.
  validation {
    condition     = var.ssl_root_cert == "" || try(length(file(var.ssl_root_cert)) <= 3072, true)
    error_message = "ssl_root_cert is larger than 3 KB, too large for a function's environment: keep only the root certificate in the file"
  }
}

variable "exclude_schemas" {
  description = "Schemas to leave out of the backups, e.g. [\"audit\"]."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for schema in var.exclude_schemas : trimspace(schema) != ""])
    error_message = "exclude_schemas holds an empty name: remove it"
  }
}

variable "jobs" {
  description = "Connections that read rows at the same time. The session pooler's pool must have room for them and one more."
  type        = number
  default     = 4

  validation {
    condition     = var.jobs >= 1 && var.jobs <= 64 && floor(var.jobs) == var.jobs
    error_message = "jobs is out of range: give a whole number from 1 to 64"
  }
}

variable "compression" {
  description = "\"none\": a .sql file that psql reads as it is; \"zstd\" or \"zstd:LEVEL\": smaller, .sql.zst."
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|zstd(:([1-9]|1[0-9]))?)$", var.compression))
    error_message = "compression is unknown: give none, zstd, or zstd:LEVEL with a level from 1 to 19"
  }
}

# The schedule

variable "backup_schedule" {
  description = "When to back up: rate(7 days), rate(1 day) or a cron expression of EventBridge in UTC, e.g. cron(0 2 * * ? *)."
  type        = string
  default     = "rate(7 days)"

  validation {
    condition     = can(regex("^(rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)|cron\\(([^ )]+ ){5}[^ )]+\\))$", var.backup_schedule))
    error_message = "backup_schedule is no schedule: give rate(7 days), rate(1 day), or a cron expression with six fields like cron(0 2 * * ? *)"
  }

  # Minutes, hours, day of month, month, day of week, year. Whatever else is wrong with one, AWS would say during apply.
  validation {
    condition = !startswith(var.backup_schedule, "cron(") || can(regex(
      "^cron\\([0-9*,/-]+ [0-9*,/-]+ ([0-9LW*,/-]+ [0-9A-Z*,/-]+ [?]|[?] [0-9A-Z*,/-]+ [0-9A-Z*,/#-]+) [0-9*,/-]+\\)$",
    var.backup_schedule))
    error_message = "backup_schedule is no cron expression of EventBridge: six fields, of which either the day of month or the day of week is ?, like cron(0 2 * * ? *)"
  }
}

variable "max_backup_age_hours" {
  description = "An alarm goes off when the newest complete backup is older: the schedule's interval and some patience."
  type        = number
  default     = 192

  validation {
    condition     = var.max_backup_age_hours > local.schedule_hours
    error_message = "max_backup_age_hours is not longer than the interval of backup_schedule, so that the alarm would go off between two good backups: raise it"
  }

  validation {
    condition     = var.max_backup_age_hours >= 1 && var.max_backup_age_hours < var.retention_days * 24
    error_message = "max_backup_age_hours is not shorter than retention_days: the last backup would expire before anybody hears that there are no new ones"
  }
}

# The bucket

variable "bucket_name" {
  description = "Bucket of the backups. Names of buckets are unique in the whole world: if AWS says it exists, choose another."
  type        = string
  default     = "pana-db-backups"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name is not possible: 3 to 63 lower-case letters, digits and hyphens (a dot would not match S3's certificate)"
  }
}

variable "retention_days" {
  description = "Backups are removed after so many days."
  type        = number
  default     = 30

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is out of range: give a whole number of days from 1 to 3650"
  }
}

variable "object_lock_days" {
  description = "Days for which nobody without s3:BypassGovernanceRetention can remove a backup (Object Lock); 0: off. A bucket that once has Object Lock keeps it."
  type        = number
  default     = 0

  validation {
    condition     = var.object_lock_days >= 0 && var.object_lock_days <= var.retention_days && floor(var.object_lock_days) == var.object_lock_days
    error_message = "object_lock_days is out of range: give a whole number from 0 (off) to retention_days"
  }
}

# The functions

variable "memory_size" {
  description = "Memory of the function in MB; processors come with it: 1769 MB are one, 3538 two."
  type        = number
  default     = 1769

  validation {
    condition     = var.memory_size >= 256 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is out of range: give a whole number of MB from 256 to 10240"
  }
}

variable "timeout" {
  description = "Seconds that a backup may take; Lambda allows no more than 900. 30 s before the end pana gives up by itself."
  type        = number
  default     = 900

  validation {
    condition     = var.timeout >= 60 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is out of range: give a whole number of seconds from 60 to 900, which is Lambda's limit"
  }
}

variable "architecture" {
  description = "Processor of the functions: \"x86_64\", or \"arm64\" with lambda_zip = \"../dist/pana-lambda-arm64.zip\", which scripts/package --all makes."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is unknown to Lambda: give x86_64 or arm64"
  }
}

variable "log_retention_days" {
  description = "Logs are removed after so many days."
  type        = number
  default     = 90

  validation {
    condition = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is not a number that CloudWatch knows: give 7, 14, 30, 60, 90, 180, 365, 731 ..."
  }
}

variable "lambda_zip" {
  description = "The program as scripts/package-lambda packs it; a path relative to this directory."
  type        = string
  default     = "../build/lambda/pana.zip"
}
