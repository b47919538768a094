"""Slipway's service: the code that is shipped with the Lambda functions."""

# The only version number. pyproject.toml and the OpenAPI document read it here; CHANGELOG.md names it first.
__version__ = "1.0.0"
