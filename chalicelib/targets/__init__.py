"""What a deployment goes to: an environment, or a workspace of it."""
