"""Clients whose calls go to a debug workspace instead of its environment, each until a time."""
