"""Isolated copies of environments, each for a time."""
