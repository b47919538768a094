"""The configuration that a page needs before anyone signs in."""
