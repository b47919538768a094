"""Services that are deployed, each with a repository."""
