# What is yours: replace it when you copy the repository, here and in state.s3.tfbackend.
account_id          = "210987654321"
testing_account_ids = ["123456789012"]
region              = "eu-central-1"
owner               = "slipway"
