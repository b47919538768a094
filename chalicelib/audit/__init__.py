"""The audit trail: who changed what, and who tried to."""
