"""The gate - whether an artifact may enter an environment."""
