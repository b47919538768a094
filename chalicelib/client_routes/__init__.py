"""Clients whose calls go to a debug workspace instead of its environment, for a limited time."""
