"""Systems: services that teams deploy."""
