"""End leases, routes and workspaces whose time is over. Even before the sweep, reads show these records as ended."""
