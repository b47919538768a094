"""Tools for developers and workflows, to run, test and deploy the service. They are never part of the service."""
