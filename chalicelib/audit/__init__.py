"""The audit trail: an event for each write and each refused write, with its caller."""
