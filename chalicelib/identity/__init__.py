"""Identity: tokens, issuers, principals and their roles. This package depends on no resource."""
