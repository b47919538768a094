"""The caller as the service sees it."""
