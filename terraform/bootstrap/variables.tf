variable "aws_region" {
  description = "AWS region of the state, e.g. eu-central-1: the one of the backups."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region is not the name of a region: give it like eu-central-1"
  }
}

variable "state_bucket" {
  description = "Bucket of Terraform's state. Names of buckets are unique in the whole world: if AWS says it exists, choose another."
  type        = string
  default     = "pana-terraform-state"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket is not possible: 3 to 63 lower-case letters, digits and hyphens"
  }
}
