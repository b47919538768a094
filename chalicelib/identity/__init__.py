"""Identity: tokens, issuers, principals and their roles. This package imports no resource."""
