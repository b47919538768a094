"""Runs of test suites against what is deployed to a target."""
