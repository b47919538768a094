"""What runs where; derived, never stored."""
