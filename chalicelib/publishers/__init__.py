"""Rules that let pipelines write for a system."""
