"""HTTP: an endpoint is a declaration of path, role and types. Start reading at `operation`, which resources import."""
