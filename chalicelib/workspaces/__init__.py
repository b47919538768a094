"""Workspaces: isolated copies of environments, each for a limited time."""
