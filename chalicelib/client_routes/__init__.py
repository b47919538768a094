"""Routes. A route sends a client's calls to a debug workspace instead of the environment, for a limited time."""
