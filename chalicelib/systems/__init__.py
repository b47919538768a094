"""Systems: services that are deployed."""
