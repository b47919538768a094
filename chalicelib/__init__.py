"""Slipway's service: the code that ships with the functions."""

# The one version number: pyproject.toml and the OpenAPI document take it from here, and CHANGELOG.md names it first.
__version__ = "1.0.0"
