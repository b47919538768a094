"""How Slipway comes to be on AWS. Start reading at modules/infrastructure-main."""
