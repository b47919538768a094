"""The health and the readiness of the service."""
