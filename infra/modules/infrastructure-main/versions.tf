terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
      # What belongs to CloudFront lives there, wherever the environment does.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
