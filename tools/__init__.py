"""Tools for developers and workflows, to run, test and deploy Slipway. They are never part of the service."""
