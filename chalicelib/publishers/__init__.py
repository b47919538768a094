"""Rules that let a pipeline's identity write for a system."""
