"""Find the systems to sweep, in PostgreSQL. The packages of the resources do the sweeping."""

from chalicelib.database.connection import Database


def systems_due(db: Database) -> list[str]:
    """Return the keys of the systems that have a lease, a workspace or a route whose time is over."""
    keys: list[str] = db.value(
        """
        SELECT coalesce(array_agg(s.key ORDER BY s.key), '{}') FROM systems s
        WHERE s.id IN (
            SELECT system_id FROM deployments WHERE state = 'in_progress' AND lease_expires_at <= clock_timestamp()
            UNION ALL
            SELECT system_id FROM workspaces WHERE state = 'active' AND expires_at <= clock_timestamp()
            UNION ALL
            SELECT w.system_id FROM routes r JOIN workspaces w ON w.id = r.workspace_id
            WHERE r.until <= clock_timestamp()
        )
        """
    )
    return keys
