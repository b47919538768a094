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

# True for rows that belong to `target`, and not to an earlier workspace of the same name. For the workspace `default`,
# `workspace_id` is always null. The condition is not `workspace_id IS NOT DISTINCT FROM target.id`: PostgreSQL expects
# that almost no row meets it, so it reads all rows instead of the first ones of an index.
ON_TARGET = "environment_id = e.id AND workspace = %(workspace)s AND (target.id IS NULL OR workspace_id = target.id)"

# A row `current` for `target`: the artifact that runs there, or null.
CURRENT = f"""
    LEFT JOIN LATERAL (
        SELECT artifact FROM deployments
        WHERE {ON_TARGET} AND state = 'succeeded'
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS current ON true
"""


def suites_of(environment: str, workspace: str, artifact: str) -> str:
    """Return SQL for a relation: the suites that verified an artifact in a workspace of an environment, as SQL.

    Each step looks up the next suite in the index `verifications_by_target`. So the cost depends on the number of
    suites, which is bounded, and not on the number of verifications.
    """
    verified = f"v.environment_id = {environment} AND v.workspace = {workspace} AND v.artifact = {artifact}"
    return f"""
        (
            WITH RECURSIVE suites AS (
                (SELECT v.suite FROM verifications v WHERE {verified} ORDER BY v.suite LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT v.suite FROM verifications v
                    WHERE {verified} AND v.suite > suites.suite ORDER BY v.suite LIMIT 1
                )
                FROM suites WHERE suites.suite IS NOT NULL
            )
            SELECT suite FROM suites WHERE suite IS NOT NULL
        )
    """


def workspace_not_found(system: str, id_: str) -> Problem:
    return Problem(problems.not_found, f"The system {system!r} has no workspace {id_!r}. Check the id and the system.")
