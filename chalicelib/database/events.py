"""The SQL that writes audit events.

A write that succeeds sends this SQL in the same transaction. So either both take effect, or neither does.
"""

from chalicelib import NAME

_INSERT = """
    INSERT INTO audit_events (
        system_key, issuer, principal, action, resource, before, after, refusal, reason, request_id
    )
"""

EVENT = f"""
    {_INSERT}
    VALUES (%(system)s, %(issuer)s, %(principal)s, %(action)s, %(resource)s,
            %(before)s::jsonb, %(after)s::jsonb, %(refusal)s, %(reason)s, %(request_id)s)
"""


def events_of_the_service(rows: str, action: str, resource: str, before: str, after: str = "NULL") -> str:
    """Return SQL that writes an event for each row that the service itself ended, because the row's time was over.

    `rows` names a relation with a column `system`. `resource`, `before` and `after` are SQL over the columns of this
    relation.
    """
    return f"""
        {_INSERT}
        SELECT system, '{NAME}', '{NAME}', '{action}', {resource}, ({before})::jsonb, ({after})::jsonb, NULL,
            NULL, %(request_id)s
        FROM {rows}
    """
