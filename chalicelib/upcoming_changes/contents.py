"""The commits that an artifact contains, as fragments of SQL. Everything that asks this uses these fragments.

**contains(environment, artifact).** An artifact contains the commits that its first succeeded deployment delivered, and
the commits that the artifact which ran there just before contains. Only the workspace `default` counts.

The first deployment is the first of those to the environment and to the environment before it. An artifact is the same
content in both, although a merge may give its commits other ids on the way.

So each artifact has one chain of first deployments, from its own back to the oldest:

- A rollback, like any later deployment of an artifact, changes nothing about what the artifact contains.
- A deployment after a rollback builds on the artifact that the rollback went back to, not on what it took back.
- A hotfix that the environment before never ran is in the chain of the environment alone.

Each step of a chain is two look-ups in an index. The chains of two artifacts meet at the latest deployment that both
have, and are the same from there on. So the cost of a comparison depends on what is different, and `most_steps` bounds
it.
"""

# A deployment in a chain is a whole row of `deployments`, in a column.
_SUCCEEDED = "d.workspace = 'default' AND d.state = 'succeeded'"
# A commit that many deployments delivered is looked for in the oldest ones.
_DELIVERIES = 10


def first(artifact: str, environment: str, before: str) -> str:
    """Return SQL for one row `node`: the first succeeded deployment of an artifact, or no row."""
    return f"""
        SELECT ran.node FROM (VALUES ({environment}), ({before})) AS there (id)
        CROSS JOIN LATERAL (
            SELECT d AS node FROM deployments d
            WHERE d.environment_id = there.id AND d.artifact = {artifact} AND {_SUCCEEDED}
            ORDER BY d.finished_at, d.id LIMIT 1
        ) AS ran
        ORDER BY (ran.node).finished_at, (ran.node).id LIMIT 1
    """


def following(node: str, environment: str, before: str) -> str:
    """Return SQL for one row `node`: the next older deployment in the chain of a deployment, or no row."""
    return f"""
        SELECT earlier.node FROM (
            SELECT d.artifact FROM deployments d
            WHERE d.environment_id = ({node}).environment_id AND {_SUCCEEDED}
                AND (d.finished_at, d.id) < (({node}).finished_at, ({node}).id)
            ORDER BY d.finished_at DESC, d.id DESC LIMIT 1
        ) AS ran_before
        CROSS JOIN LATERAL ({first("ran_before.artifact", environment, before)}) AS earlier
    """


def delivered(nodes: str, sha: str) -> str:
    """Return SQL that is true if one of the deployments `nodes` (a relation with a column `id`) delivered a commit."""
    # LIMIT keeps the look-up of each deployment in the primary key. A join may read all commits of the deployments.
    return f"""
        EXISTS (
            SELECT FROM {nodes} AS n CROSS JOIN LATERAL (
                SELECT FROM deployment_commits WHERE deployment_id = n.id AND sha = {sha} LIMIT 1
            ) AS delivery
        )
    """


def compared(
    head: str,
    base: str,
    environment: str,
    before: str,
    *,
    most_commits: int,
    most_steps: int,
    whole_chain: bool,
) -> str:
    """Return SQL for one row that compares two artifacts: the commits of each that the other does not contain.

    The row has `ahead_by`, `more_commits` and `commits` for the artifact `head`, and `behind_by`, `more_removed` and
    `removed` for the artifact `base`. Each side counts the last `most_commits` commits since the chains met. Unless
    `whole_chain` is true, the statement stops after that number of commits of `head`: `behind_by` may be too low.

    A number is null if none of the deployments since then recorded commits. Both are null if `head` never ran. A base
    that is null contains nothing.
    """
    stop = "" if whole_chain else f"AND head_commits <= {most_commits}"
    return f"""
        WITH RECURSIVE walk AS (
            -- Each step leaves the later one of the two deployments, `head` and `base`. When they are the same, the
            -- chains meet. So each deployment that was left is in one of the two chains only.
            SELECT 0 AS step, head.node AS head, base.node AS base, NULL::deployments AS passed,
                NULL::boolean AS of_head, 0::bigint AS head_commits
            FROM ({first(head, environment, before)}) AS head
            LEFT JOIN LATERAL ({first(base, environment, before)}) AS base ON true
            UNION ALL
            SELECT step + 1,
                CASE WHEN later.is_head THEN next.node ELSE head END,
                CASE WHEN later.is_head THEN base ELSE next.node END,
                later.node, later.is_head,
                head_commits + CASE WHEN later.is_head THEN (head).commit_count ELSE 0 END
            FROM walk
            CROSS JOIN LATERAL (
                SELECT is_head, CASE WHEN is_head THEN head ELSE base END AS node
                FROM (
                    SELECT (base).id IS NULL OR coalesce(
                        ((head).finished_at, (head).id) > ((base).finished_at, (base).id), false
                    ) AS is_head
                ) AS compared
            ) AS later
            LEFT JOIN LATERAL ({following("later.node", environment, before)}) AS next ON true
            WHERE (head).id IS DISTINCT FROM (base).id AND step < {most_steps} {stop}
        ), finish AS (
            SELECT head AS node, (head).id IS NOT DISTINCT FROM (base).id AS met FROM walk ORDER BY step DESC LIMIT 1
        ), nodes AS (
            SELECT of_head, step, (passed).id AS id,
                sum((passed).commit_count) OVER (PARTITION BY of_head ORDER BY step) - (passed).commit_count AS skipped
            FROM walk WHERE step > 0
        ), examined AS (
            SELECT side.of_head, c.*, row_number() OVER (
                PARTITION BY side.of_head ORDER BY step, authored_at DESC, sha DESC
            ) AS place
            FROM (VALUES (true), (false)) AS side (of_head)
            CROSS JOIN LATERAL (
                SELECT n.step, c.* FROM nodes n
                CROSS JOIN LATERAL (
                    SELECT sha, authored_at, subject FROM deployment_commits
                    WHERE deployment_id = n.id ORDER BY authored_at DESC, sha DESC LIMIT {most_commits + 1}
                ) AS c
                WHERE n.of_head = side.of_head AND n.skipped <= {most_commits}
                ORDER BY n.step, c.authored_at DESC, c.sha DESC LIMIT {most_commits + 1}
            ) AS c
        ), oldest AS (
            -- The oldest deployment in the common part of the chains that may have delivered one of these commits too.
            SELECT d.finished_at, d.id
            FROM examined AS c CROSS JOIN finish CROSS JOIN (VALUES ({environment}), ({before})) AS there (id)
            CROSS JOIN LATERAL (
                SELECT deployment_id FROM deployment_commits
                WHERE environment_id = there.id AND sha = c.sha ORDER BY deployment_id LIMIT {_DELIVERIES}
            ) AS delivery
            CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = delivery.deployment_id OFFSET 0) AS d
            WHERE finish.met AND {_SUCCEEDED}
                AND (d.finished_at, d.id) <= ((finish.node).finished_at, (finish.node).id)
            ORDER BY d.finished_at, d.id LIMIT 1
        ), common AS (
            SELECT 0 AS step, finish.node, (finish.node).id AS id FROM finish CROSS JOIN oldest
            UNION ALL
            SELECT step + 1, next.node, (next.node).id
            FROM common CROSS JOIN oldest
            CROSS JOIN LATERAL ({following("common.node", environment, before)}) AS next
            WHERE step < {most_steps}
                AND ((common.node).finished_at, (common.node).id) > (oldest.finished_at, oldest.id)
        ), differing AS (
            SELECT DISTINCT ON (of_head, sha) c.* FROM examined AS c
            WHERE place <= {most_commits}
                AND NOT {delivered("(SELECT id FROM nodes WHERE of_head <> c.of_head)", "c.sha")}
                AND NOT {delivered("common", "c.sha")}
            ORDER BY of_head, sha, place
        )
        SELECT {_side("true", "ahead_by", "more_commits", "commits", most_commits)},
            {_side("false", "behind_by", "more_removed", "removed", most_commits)}
    """


def _side(of_head: str, number: str, more: str, commits: str, most_commits: int) -> str:
    """Return the columns for one of two compared artifacts."""
    return f"""
        CASE WHEN EXISTS (SELECT FROM examined WHERE of_head = {of_head})
            OR EXISTS (SELECT FROM finish) AND NOT EXISTS (SELECT FROM nodes WHERE of_head = {of_head})
            THEN (SELECT count(*) FROM differing WHERE of_head = {of_head}) END AS {number},
        coalesce(
            NOT (SELECT met FROM finish)
                OR EXISTS (SELECT FROM examined WHERE of_head = {of_head} AND place > {most_commits}), false
        ) AS {more},
        (
            SELECT coalesce(json_agg(
                json_build_object('sha', sha, 'authored_at', authored_at, 'subject', subject) ORDER BY place
            ), '[]')
            FROM differing WHERE of_head = {of_head}
        ) AS {commits}
    """
