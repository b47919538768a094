"""The state: the artifact that runs on each target. It is derived, never stored."""
