"""PostgreSQL: connections, statements, transactions, migrations. This package imports no resource."""

POSTGRES_MAJOR = 16
"""PostgreSQL's major version everywhere: embedded for tests and on developers' machines, Aurora on AWS."""
