"""Identity: tokens, issuers, principals and their roles. It depends on no resource."""
