"""The overview: all systems with their environments, for a dashboard. It is derived, never stored."""
