"""Runs of test suites against targets."""
