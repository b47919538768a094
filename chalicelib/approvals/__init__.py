"""Approvals: people's consent that an artifact enters an environment."""
