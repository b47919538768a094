"""Artifacts: the records of one artifact in all environments."""
