"""Ends leases, routes and workspaces whose time is over. Reads do not depend on it."""
