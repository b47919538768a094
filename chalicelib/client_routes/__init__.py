"""Routes: each sends a client's calls to a debug workspace instead of its environment, for a limited time."""
