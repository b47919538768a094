"""Verifications: runs of test suites against the artifact on a target."""
