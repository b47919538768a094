"""Isolated copies of environments, each for a limited time."""
