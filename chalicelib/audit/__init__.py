"""Who changed what, and who tried to."""
