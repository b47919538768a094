"""PostgreSQL: connections, statements, transactions, migrations. Knows no resource."""

POSTGRES_MAJOR = 16
"""The major version that everything runs: tests and development embedded, environments on Aurora."""
