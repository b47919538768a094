"""Changes: the commits that a promotion would bring into an environment, and those that it would remove."""
