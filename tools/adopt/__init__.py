"""Turn a fresh copy of this repository into a service with a name of its own. The service does not keep this code."""
