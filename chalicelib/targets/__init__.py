"""Targets of deployments: environments and their workspaces."""
