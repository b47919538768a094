"""Turn a fresh copy of this repository into a service with a name of its own, which then lacks this code."""
