"""What a pipeline does besides calling Terraform. Each command is a `make` target, so that a person can run it too."""
