"""The steps of the workflows, except Terraform. People can run each with `python -m tools pipeline`."""
