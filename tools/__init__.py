"""What a developer's machine needs to run and test Slipway. Never deployed."""
