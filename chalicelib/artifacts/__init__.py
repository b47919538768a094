"""The way of an artifact through the environments."""
