"""The service: the code that is shipped with the Lambda functions."""

# The service's name: lower-case letters, digits and hyphens. `system` in infra/ has the same value.
NAME = "slipway"
# The name of its database. The database's roles begin with it, and SQL needs underscores instead of hyphens.
SQL_NAME = NAME.replace("-", "_")

# The only version number. pyproject.toml and the OpenAPI document read it here; CHANGELOG.md names it first.
__version__ = "1.0.0"
