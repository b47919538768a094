"""The OpenAPI description of this API."""
