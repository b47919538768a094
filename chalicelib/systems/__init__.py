"""What is deployed - a service with a repository."""
