"""The audit trail: an event for each write and each refused write. An event names the caller."""
