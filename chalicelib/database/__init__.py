"""PostgreSQL: connections, statements, transactions, migrations. Knows no resource."""
