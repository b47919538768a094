"""Artifacts going to targets."""
