"""Targets in PostgreSQL: fragments of SQL for statements that need a target."""

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem

# The state of the workspace `w`. A workspace whose time is over counts as expired, even before the sweep.
WORKSPACE_STATE = """
    CASE WHEN w.state = 'active' AND w.expires_at <= clock_timestamp() THEN 'expired' ELSE w.state END
"""

# A row `target` for the environment `e`: its workspace %(workspace)s, the latest of that name. For the environment
# itself, `id` is null. For a workspace that never existed, both `id` and `state` are null.
TARGET = f"""
    LEFT JOIN LATERAL (
        SELECT w.id, CASE WHEN %(workspace)s = 'default' THEN 'active' ELSE {WORKSPACE_STATE} END AS state
        FROM (SELECT) AS always LEFT JOIN workspaces w ON w.environment_id = e.id AND w.name = %(workspace)s
        ORDER BY w.id DESC LIMIT 1
    ) AS target ON true
"""

# True for rows that belong to `target`, and not to an earlier workspace of the same name.
ON_TARGET = "environment_id = e.id AND workspace = %(workspace)s AND workspace_id IS NOT DISTINCT FROM target.id"

# One column: the artifact that runs on `target`.
CURRENT_ARTIFACT = f"""
    (
        SELECT artifact FROM deployments
        WHERE {ON_TARGET} AND state = 'succeeded'
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS current_artifact
"""


def workspace_not_found(system: str, id_: str) -> Problem:
    return Problem(problems.not_found, f"The system {system!r} has no workspace {id_!r}. Check the id and the system.")
