"""The gate. It decides whether an artifact may enter an environment."""
