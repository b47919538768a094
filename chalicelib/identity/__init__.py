"""Who is asking: tokens, issuers, principals and their roles. Knows no resource."""
