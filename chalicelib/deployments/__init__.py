"""Deployments: artifacts on their way to targets."""
