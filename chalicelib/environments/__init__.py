"""Environments: sets of resources that work together, in the order of promotion."""
