"""End leases, routes and workspaces whose time is over. Reads already show these as ended before the sweep."""
