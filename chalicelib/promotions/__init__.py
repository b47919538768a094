"""The gate, which decides whether an artifact may enter an environment."""
