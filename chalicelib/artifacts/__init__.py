"""Artifacts: the records of one artifact in all environments, and the decisions of the environments' gates."""
