"""Drift: the commits that the environment before has and a target lacks, as a fragment of SQL.

The fragment uses these rows of the statement:
- `e` is the environment, and `current` is the last succeeded deployment to the target.
- `before` is the environment with the next lower rank. `ahead` is the last succeeded deployment to `before`.

It adds these rows:
- `passed` is the latest deployment of the current artifact to `before`.
- `arrived` and `arrived_ahead` are the first deployments of the artifacts of `current` and `ahead`. An artifact
  contains the commits that were delivered until its first deployment: a rollback to it takes back later commits.
- `behind` has the number of `commits`, and `more`: true if there may be more.
"""

MOST_COMMITS = 100
DELIVERIES = 10

# One system with many commits must not make an answer slow for all systems: this examines at most MOST_COMMITS commits,
# the last deployed first, and at most DELIVERIES deployments that delivered a commit to the target. The last of these
# is the one that succeeded after failed attempts.
_BEHIND = f"""
    SELECT
        -- If the deployments recorded no commits, the number is unknown: null.
        CASE WHEN count(*) = 0 OR count(sha) > 0
            THEN count(DISTINCT sha) FILTER (WHERE place <= {MOST_COMMITS} AND NOT delivered) END AS commits,
        count(*) > {MOST_COMMITS} AS more
    FROM (
        SELECT c.sha, row_number() OVER () AS place, EXISTS (
            SELECT FROM (
                SELECT deployment_id FROM deployment_commits
                WHERE environment_id = e.id AND sha = c.sha
                ORDER BY deployment_id DESC LIMIT {DELIVERIES}
            ) AS delivery
            -- OFFSET 0 keeps the look-up of each deployment by its id. A join may read the whole table for each commit.
            CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = delivery.deployment_id OFFSET 0) AS here
            WHERE here.workspace = 'default' AND here.state = 'succeeded'
                AND (here.finished_at, here.id) <= (arrived.finished_at, arrived.id)
        ) AS delivered
        FROM (
            SELECT id FROM deployments
            WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
                AND (finished_at, id) <= (arrived_ahead.finished_at, arrived_ahead.id)
                AND (passed.id IS NULL OR (finished_at, id) > (passed.finished_at, passed.id))
            ORDER BY finished_at DESC, id DESC LIMIT {MOST_COMMITS + 1}
        ) AS d
        LEFT JOIN LATERAL (
            SELECT sha FROM deployment_commits WHERE deployment_id = d.id LIMIT {MOST_COMMITS + 1}
        ) AS c ON true
        LIMIT {MOST_COMMITS + 1}
    ) AS examined
"""

DRIFT = f"""
    LEFT JOIN LATERAL (
        SELECT id, finished_at FROM deployments
        WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
            AND artifact = current.artifact
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS passed ON true
    LEFT JOIN LATERAL (
        SELECT id, finished_at FROM deployments
        WHERE environment_id = e.id AND workspace = 'default' AND state = 'succeeded'
            AND artifact = current.artifact
        ORDER BY finished_at, id LIMIT 1
    ) AS arrived ON true
    LEFT JOIN LATERAL (
        SELECT id, finished_at FROM deployments
        WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
            AND artifact = ahead.artifact
        ORDER BY finished_at, id LIMIT 1
    ) AS arrived_ahead ON true
    LEFT JOIN LATERAL ({_BEHIND}) AS behind ON ahead.id IS NOT NULL
"""
