"""Commits: those that a deployment delivered, and the environments that contain a commit now."""
