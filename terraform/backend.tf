# Where Terraform keeps its state. The bucket is made once, by bootstrap/; its region, and its name where that is another,
# stand in backend.hcl (see backend.hcl.example):
#
#     terraform init -backend-config=backend.hcl
terraform {
  backend "s3" {
    bucket       = "pana-terraform-state"
    key          = "pana/terraform.tfstate"
    encrypt      = true
    use_lockfile = true # two people at once: the second one waits
  }
}
