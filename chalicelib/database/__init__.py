"""PostgreSQL: connections, statements, transactions, migrations. It depends on no resource."""

POSTGRES_MAJOR = 16
"""The major version that runs everywhere: embedded for tests and development, Aurora in environments."""
