"""Artifacts on their way to targets."""
