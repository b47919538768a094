"""Drift: the commits that the environment before has and a target lacks, as a fragment of SQL.

The fragment uses these rows of the statement:
- `e` is the environment, and `current` is the last succeeded deployment to the target.
- `before` is the environment with the next lower rank. `ahead` is the last succeeded deployment to `before`.

It adds these rows:
- `passed` is the latest deployment of the current artifact to `before`.
- `behind` has the number of commits as `ahead_by`, and `more_commits`: true if there may be more.
"""

MOST_COMMITS = 100

# One system with many commits must not make an answer slow for all systems, so the comparison stops after a number of
# commits or of deployments.
_BEHIND = f"compare_artifacts(ahead.artifact, current.artifact, e.id, before.id, {2 * MOST_COMMITS}, false)"

DRIFT = f"""
    LEFT JOIN LATERAL (
        SELECT finished_at FROM deployments
        WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
            AND artifact = current.artifact
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS passed ON true
    LEFT JOIN LATERAL {_BEHIND} AS behind ON ahead.id IS NOT NULL
"""
