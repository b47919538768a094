"""Targets: the environments, and workspaces of them, that deployments go to."""
