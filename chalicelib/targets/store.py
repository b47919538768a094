"""Targets in PostgreSQL: fragments of SQL for statements that need a target."""

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem

# The most rollbacks since a deployment that a decision examines. One system must not make reads slow for all systems.
MOST_ROLLBACKS = 100

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


def in_system(row: str) -> str:
    """Return SQL: true for rows of %(environment)s of %(system)s, or of the whole system if %(environment)s is null.

    PostgreSQL looks the id up once, and then reads a page of rows from an index in order. With a join it would read and
    sort all rows. With both conditions it would take them for independent, and expect far fewer rows than there are.
    """
    system_id = "(SELECT id FROM systems WHERE key = %(system)s)"
    environment_id = f"(SELECT id FROM environments WHERE system_id = {system_id} AND name = %(environment)s)"
    return f"""
        (%(environment)s IS NOT NULL OR {row}.system_id = {system_id})
        AND (%(environment)s IS NULL OR {row}.environment_id = {environment_id})
    """


def in_workspace(id_: str) -> str:
    """Return SQL: true for rows of the workspace with this id, and not of an earlier one of the same name.

    For the workspace `default`, the id is null. PostgreSQL expects that half of the rows meet a CASE. Of `OR` and of
    `IS NOT DISTINCT FROM` it expects that almost no row meets them, so it would read all rows instead of the first ones
    of an index.
    """
    return f"CASE WHEN {id_} IS NULL THEN true ELSE workspace_id = {id_} END"


# True for rows that belong to `target`.
ON_TARGET = f"environment_id = e.id AND workspace = %(workspace)s AND {in_workspace('target.id')}"

# The start of the first deployment to `target` that the service recorded itself. Null if there is none.
RECORDED_FROM = f"""
    (SELECT started_at FROM deployments WHERE {ON_TARGET} AND NOT imported ORDER BY started_at LIMIT 1)
"""

# A row `current` for `target`: the artifact that runs there, or null.
CURRENT = f"""
    LEFT JOIN LATERAL (
        SELECT artifact FROM deployments
        WHERE {ON_TARGET} AND state = 'succeeded'
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS current ON true
"""


def verdicts(deployment: str, *, counted: bool = True) -> str:
    """Return SQL for a relation: each suite's latest verification of a deployment, sorted by suite.

    With `counted`, leave out verifications that ended in `error` or `cancelled`, and those that were imported late.
    Each step looks up the next suite in an index. So the cost depends on the number of suites, which is bounded, and
    not on the number of verifications.
    """
    columns = "v.id, v.suite, v.outcome, v.counts_at"
    of_deployment = f"v.deployment_id = {deployment}" + (
        " AND v.outcome IN ('success', 'failure') AND NOT v.late" if counted else ""
    )
    latest_first = "ORDER BY v.suite, v.counts_at DESC, v.id DESC LIMIT 1"
    return f"""
        (
            WITH RECURSIVE verdict AS (
                (SELECT {columns} FROM verifications v WHERE {of_deployment} {latest_first})
                UNION ALL
                SELECT next.* FROM verdict CROSS JOIN LATERAL (
                    SELECT {columns} FROM verifications v
                    WHERE {of_deployment} AND v.suite > verdict.suite {latest_first}
                ) AS next
            )
            SELECT id, suite, outcome, counts_at FROM verdict
        )
    """


def places(on_target: str, artifact: str) -> str:
    """Return SQL for a relation of one row: the places of three artifacts in the order of a target before `back`.

    `back` is a rollback: see `rollbacks`. `its` is the place of the artifact, `new` that of the rollback's artifact,
    and `old` that of the artifact that ran before. A place is the finish of the latest rollout or hotfix of an
    artifact, or null. A rollback to an artifact does not change the order. One query for all three is planned faster.
    """
    return f"""
        (
            SELECT max(place) FILTER (WHERE name = 'its') AS its, max(place) FILTER (WHERE name = 'new') AS new,
                max(place) FILTER (WHERE name = 'old') AS old
            FROM (
                VALUES ('its', {artifact}), ('new', back.artifact), ('old', back.ran_before)
            ) AS asked (name, artifact) CROSS JOIN LATERAL (
                SELECT finished_at AS place FROM deployments
                WHERE {on_target} AND artifact = asked.artifact AND state = 'succeeded' AND kind <> 'rollback'
                    AND finished_at < back.finished_at
                ORDER BY finished_at DESC LIMIT 1
            ) AS found
        )
    """


def rollbacks(on_target: str, since: str) -> str:
    """Return SQL for a relation: the newest MOST_ROLLBACKS rollbacks on a target that succeeded after a moment.

    `ran_before` is the artifact that ran before the rollback. If there are more rollbacks, the next one is a row too,
    with `too_many`: nothing earlier is examined, so the artifact counts as rolled back.
    """
    return f"""
        (
            SELECT back.artifact, back.finished_at, back.place > {MOST_ROLLBACKS} AS too_many, (
                SELECT artifact FROM deployments
                WHERE {on_target} AND state = 'succeeded' AND (finished_at, id) < (back.finished_at, back.id)
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS ran_before
            FROM (
                SELECT *, row_number() OVER (ORDER BY finished_at DESC, id DESC) AS place FROM (
                    SELECT id, artifact, finished_at FROM deployments
                    WHERE {on_target} AND state = 'succeeded' AND kind = 'rollback' AND finished_at > {since}
                    ORDER BY finished_at DESC, id DESC LIMIT {MOST_ROLLBACKS + 1}
                ) AS newest
            ) AS back
        )
    """


def standing(on_target: str, artifact: str) -> str:
    """Return SQL for a relation of one row: the record of an artifact on a target of the environment `e`.

    A rollback to the artifact depends on it: see `Standing` in deployments/model.py.
    """
    of_artifact = f"{on_target} AND artifact = {artifact} AND state = 'succeeded' AND NOT late"
    return f"""
        (
            SELECT
                latest.finished_at AS deployed_at,
                (
                    SELECT coalesce(json_agg(suite), '[]') FROM {verdicts("verified.id")} AS verdict
                    WHERE outcome = 'failure'
                ) AS failed_suites,
                to_json(back) AS rolled_back
            FROM (SELECT) AS always
            LEFT JOIN LATERAL (
                SELECT finished_at FROM deployments
                WHERE {of_artifact}
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS latest ON true
            LEFT JOIN LATERAL (
                SELECT id FROM deployments
                WHERE {of_artifact} AND EXISTS (
                    SELECT FROM verifications v
                    WHERE v.deployment_id = deployments.id AND v.outcome IN ('success', 'failure')
                        AND NOT v.late
                )
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS verified ON true
            LEFT JOIN LATERAL (
                SELECT e.name AS environment, back.artifact, back.finished_at AS at
                FROM {rollbacks(on_target, "latest.finished_at")} AS back
                CROSS JOIN LATERAL {places(on_target, artifact)} AS place
                WHERE back.too_many OR place.new < place.its AND place.old >= place.its
                LIMIT 1
            ) AS back ON true
        )
    """


def workspace_not_found(system: str, id_: str) -> Problem:
    return Problem(problems.not_found, f"The system {system!r} has no workspace {id_!r}. Check the id and the system.")
