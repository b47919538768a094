"""What runs where. It is derived, never stored."""
