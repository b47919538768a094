-- A deployment has up to 10,000 commits. The check takes an eighth of the time of `~ '^[0-9a-f]{40}$'`.
CREATE DOMAIN commit_sha AS text CONSTRAINT commit_sha_known CHECK (length(VALUE) IN (40, 64) AND VALUE !~ '[^0-9a-f]');

CREATE DOMAIN deployment_state AS text
    CONSTRAINT deployment_state_known CHECK (VALUE IN ('in_progress', 'succeeded', 'failed', 'cancelled'));

CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    -- A target is an environment itself or one of its workspaces. A later workspace of the same name is another target.
    workspace text NOT NULL DEFAULT 'default',
    workspace_id bigint,
    artifact artifact_id NOT NULL,
    revision commit_sha,
    kind text NOT NULL,
    state deployment_state NOT NULL,
    detail varchar(2000),
    imported boolean NOT NULL,
    -- True if this was imported after the service had recorded a deployment to the target itself. Then it is history
    -- that proves nothing: no gate, no rollback and no change counts it.
    late boolean NOT NULL DEFAULT false,
    run_url url,
    override_reason stated_reason,
    -- The codes of the blockers that the override passed. Null if there was none.
    overridden varchar(30)[],
    promotion_id bigint REFERENCES promotions (id),
    commit_count integer NOT NULL,
    lease_seconds integer,
    lease_expires_at moment,
    started_at moment NOT NULL,
    finished_at moment,
    issuer varchar(2000) NOT NULL,
    created_by varchar(1000) NOT NULL,
    -- The claims of the pipeline's token about its run. The body can't set them. Ids of runs are unique in a repository.
    repository_id varchar(255),
    run_id varchar(255),
    run_attempt varchar(255),
    run_sha varchar(255),
    run_actor varchar(255),
    CONSTRAINT deployments_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT deployments_overridden_known CHECK (
        cardinality(overridden) BETWEEN 1 AND 10 AND array_ndims(overridden) = 1
        AND overridden <@ ARRAY[
            'not-deployed', 'rolled-back', 'not-verified', 'verification-failed', 'verification-expired', 'soaking',
            'not-approved', 'frozen', 'pinned', 'marked-bad'
        ]::varchar[]
    ),
    CONSTRAINT deployments_late_are_imported CHECK (imported OR NOT late),
    CONSTRAINT deployments_go_to_target CHECK ((workspace = 'default') = (workspace_id IS NULL)),
    CONSTRAINT deployments_keep_workspace
        FOREIGN KEY (workspace_id, environment_id, workspace) REFERENCES workspaces (id, environment_id, name),
    CONSTRAINT deployments_kind_known CHECK (kind IN ('rollout', 'rollback', 'hotfix')),
    CONSTRAINT deployments_finish_with_their_state CHECK ((state = 'in_progress') = (finished_at IS NULL)),
    CONSTRAINT deployments_finish_after_start CHECK (finished_at >= started_at),
    CONSTRAINT deployments_hold_a_lease_or_are_imported
        CHECK (imported = (lease_expires_at IS NULL) AND NOT (imported AND state = 'in_progress')),
    CONSTRAINT deployments_override_has_reason CHECK (length(override_reason) BETWEEN 10 AND 500),
    CONSTRAINT deployments_numbers_are_bounded
        CHECK (commit_count BETWEEN 0 AND 10000 AND lease_seconds BETWEEN 60 AND 14400)
);

-- A target has at most one deployment in progress.
CREATE UNIQUE INDEX deployments_one_at_a_time ON deployments (environment_id, workspace)
    WHERE state = 'in_progress';
-- A repeated import makes no second deployment.
CREATE UNIQUE INDEX deployments_import_once ON deployments (
    environment_id, workspace, artifact, coalesce(revision, ''), finished_at, coalesce(workspace_id, 0)
) WHERE imported;

CREATE INDEX deployments_succeeded ON deployments (environment_id, workspace, finished_at DESC, id DESC)
    WHERE state = 'succeeded';
CREATE INDEX deployments_succeeded_by_artifact
    ON deployments (environment_id, workspace, artifact, finished_at DESC, id DESC) WHERE state = 'succeeded';
-- Rules 1 and 2 of the registry look up the rollbacks since a deployment.
CREATE INDEX deployments_rollbacks ON deployments (environment_id, workspace, finished_at DESC, id DESC)
    WHERE state = 'succeeded' AND kind = 'rollback';
-- They also look up the latest rollout or hotfix of an artifact, perhaps below many rollbacks to it.
CREATE INDEX deployments_advances ON deployments (environment_id, workspace, artifact, finished_at DESC)
    WHERE state = 'succeeded' AND kind <> 'rollback';
-- Rule 16: imports end before the first deployment that the service itself recorded.
CREATE INDEX deployments_recorded ON deployments (environment_id, workspace, started_at) WHERE NOT imported;
CREATE INDEX deployments_overridden ON deployments (system_id, started_at DESC, id DESC)
    WHERE overridden IS NOT NULL;
CREATE INDEX deployments_by_system ON deployments (system_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_environment ON deployments (environment_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_workspace
    ON deployments (environment_id, workspace, started_at DESC, id DESC);
CREATE INDEX deployments_by_artifact ON deployments (system_id, artifact, started_at DESC, id DESC);
CREATE INDEX deployments_by_revision ON deployments (system_id, revision, started_at DESC, id DESC)
    WHERE revision IS NOT NULL;

CREATE TABLE deployment_statuses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    state deployment_state NOT NULL,
    detail varchar(2000),
    created_at moment NOT NULL,
    created_by varchar(1000) NOT NULL
);

CREATE INDEX deployment_statuses_by_deployment ON deployment_statuses (deployment_id, created_at DESC, id DESC);

-- The commits that each deployment delivers.
CREATE TABLE deployment_commits (
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    environment_id bigint NOT NULL,
    sha commit_sha NOT NULL,
    authored_at moment NOT NULL,
    subject varchar(200),
    CONSTRAINT deployment_commits_once PRIMARY KEY (deployment_id, sha)
);

-- The deployments that delivered a commit to an environment, and the commits whose ids start with some digits.
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha, deployment_id);
-- The list of a deployment's commits, and the newest ones of a change.
CREATE INDEX deployment_commits_by_time ON deployment_commits (deployment_id, authored_at DESC, sha DESC);

CREATE TRIGGER deployments_are_final BEFORE UPDATE ON deployments
    FOR EACH ROW WHEN (OLD.state <> 'in_progress') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_kept BEFORE DELETE ON deployments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_not_truncated BEFORE TRUNCATE ON deployments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A deployment in progress can be renewed or finished. Its artifact, its target and its caller never change.
GRANT SELECT, UPDATE (state, detail, finished_at, lease_expires_at) ON deployments TO slipway_app;
GRANT INSERT (
    system_id, environment_id, workspace, workspace_id, artifact, revision, kind, state, detail, imported, late,
    run_url, override_reason, overridden, promotion_id, commit_count, lease_seconds, lease_expires_at,
    started_at, finished_at, issuer, created_by, repository_id, run_id, run_attempt, run_sha, run_actor
) ON deployments TO slipway_app;
GRANT SELECT ON deployment_statuses, deployment_commits TO slipway_app;
GRANT INSERT (deployment_id, state, detail, created_at, created_by) ON deployment_statuses TO slipway_app;
GRANT INSERT ON deployment_commits TO slipway_app;

-- The contents of an artifact in an environment: the commits that its first succeeded deployment delivered, and the
-- contents of the artifact that ran there just before. Only the workspace `default` counts. The first
-- deployment is the first of those to the environment and to the environment before it, because an artifact is the same
-- content in both, although a merge may give its commits other ids on the way.
--
-- So each artifact has one chain of first deployments, from its own back to the oldest:
-- - A rollback, like any later deployment of an artifact, changes nothing about what the artifact contains.
-- - A deployment after a rollback builds on the artifact that the rollback went back to, not on what it took back.
-- - A hotfix that the environment before never ran is in the chain of the environment alone.
--
-- Everything that asks what an artifact contains uses these functions. PostgreSQL inlines the first two.

-- The first deployment of an artifact, which starts its chain, or no row.
CREATE FUNCTION first_deployment(of_artifact text, to_environment bigint, or_before bigint) RETURNS SETOF deployments
    LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT ran.* FROM (VALUES (to_environment), (or_before)) AS there (id)
    CROSS JOIN LATERAL (
        SELECT d.* FROM deployments d
        WHERE d.environment_id = there.id AND d.workspace = 'default' AND d.state = 'succeeded'
            AND d.artifact = of_artifact AND NOT d.late
        ORDER BY d.finished_at, d.id LIMIT 1
    ) AS ran
    ORDER BY ran.finished_at, ran.id LIMIT 1
$$;

-- The next older deployment in a chain, or no row.
CREATE FUNCTION deployment_below(node deployments, to_environment bigint, or_before bigint) RETURNS SETOF deployments
    LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT below.* FROM (
        SELECT d.artifact FROM deployments d
        WHERE d.environment_id = node.environment_id AND d.workspace = 'default' AND d.state = 'succeeded'
            AND NOT d.late AND (d.finished_at, d.id) < (node.finished_at, node.id)
        ORDER BY d.finished_at DESC, d.id DESC LIMIT 1
    ) AS ran_before
    CROSS JOIN LATERAL first_deployment(ran_before.artifact, to_environment, or_before) AS below
$$;

-- The commits that each of two artifacts contains and the other one does not. Two chains meet at the latest deployment
-- that both have, and are the same from there on. So the cost depends on the difference, and `most_steps` bounds it.
--
-- Each side counts its last 100 commits since the chains met. Unless `whole_chain` is true, the function stops after
-- 100 commits of `head_artifact`, so `behind_by` may be too low. A number is null if none of the deployments since the
-- chains met recorded commits. Both numbers are null if `head_artifact` never ran. A null base contains nothing.
-- The function keeps its plan: planning would take longer than the look-ups.
CREATE FUNCTION compare_artifacts(
    head_artifact text, base_artifact text, to_environment bigint, or_before bigint,
    most_steps integer, whole_chain boolean
) RETURNS TABLE (
    ahead_by bigint, more_commits boolean, commits json, behind_by bigint, more_removed boolean, removed json
)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE walk AS (
        -- Each step leaves the later one of the two deployments, `head` and `base`. When they are the same, the chains
        -- meet. So each deployment that was left is in one of the two chains only.
        SELECT 0 AS step, head, base, NULL::deployments AS passed, NULL::boolean AS of_head, 0::bigint AS head_commits
        FROM first_deployment(head_artifact, to_environment, or_before) AS head
            LEFT JOIN first_deployment(base_artifact, to_environment, or_before) AS base ON true
        UNION ALL
        SELECT step + 1,
            CASE WHEN later.is_head THEN below ELSE head END,
            CASE WHEN later.is_head THEN base ELSE below END,
            later.node, later.is_head,
            head_commits + CASE WHEN later.is_head THEN (head).commit_count ELSE 0 END
        FROM walk
        CROSS JOIN LATERAL (
            SELECT side.is_head, CASE WHEN side.is_head THEN head ELSE base END AS node
            FROM (
                SELECT (base).id IS NULL OR coalesce(
                    ((head).finished_at, (head).id) > ((base).finished_at, (base).id), false
                ) AS is_head
            ) AS side
        ) AS later
        LEFT JOIN LATERAL deployment_below(later.node, to_environment, or_before) AS below ON true
        WHERE (head).id IS DISTINCT FROM (base).id AND step < most_steps AND (whole_chain OR head_commits <= 100)
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
                WHERE deployment_id = n.id ORDER BY authored_at DESC, sha DESC LIMIT 101
            ) AS c
            WHERE n.of_head = side.of_head AND n.skipped <= 100
            ORDER BY n.step, c.authored_at DESC, c.sha DESC LIMIT 101
        ) AS c
    ), oldest AS (
        -- The oldest deployment in the common part of the chains that may have delivered one of these commits too. If
        -- more than ten deployments delivered a commit, the oldest ten are looked at.
        SELECT d.finished_at, d.id
        FROM examined AS c CROSS JOIN finish CROSS JOIN unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits
            WHERE environment_id = there.id AND sha = c.sha ORDER BY deployment_id LIMIT 10
        ) AS delivery
        -- OFFSET 0 keeps the look-up of each deployment by its id. A join may read the whole table.
        CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = delivery.deployment_id OFFSET 0) AS d
        WHERE finish.met AND d.workspace = 'default' AND d.state = 'succeeded'
            AND (d.finished_at, d.id) <= ((finish.node).finished_at, (finish.node).id)
        ORDER BY d.finished_at, d.id LIMIT 1
    ), common AS (
        SELECT 0 AS step, finish.node FROM finish CROSS JOIN oldest
        UNION ALL
        SELECT step + 1, below
        FROM common CROSS JOIN oldest
        CROSS JOIN LATERAL deployment_below(common.node, to_environment, or_before) AS below
        WHERE step < most_steps
            AND ((common.node).finished_at, (common.node).id) > (oldest.finished_at, oldest.id)
    ), differing AS (
        -- LIMIT keeps the look-up of each deployment in the primary key. A join may read all of their commits.
        SELECT DISTINCT ON (of_head, sha) c.* FROM examined AS c
        WHERE place <= 100
            AND NOT EXISTS (
                SELECT FROM nodes AS n CROSS JOIN LATERAL (
                    SELECT FROM deployment_commits WHERE deployment_id = n.id AND sha = c.sha LIMIT 1
                ) AS delivery
                WHERE n.of_head <> c.of_head
            )
            AND NOT EXISTS (
                SELECT FROM common AS n CROSS JOIN LATERAL (
                    SELECT FROM deployment_commits WHERE deployment_id = (n.node).id AND sha = c.sha LIMIT 1
                ) AS delivery
            )
        ORDER BY of_head, sha, place
    ), sides AS (
        SELECT side.of_head,
            CASE WHEN EXISTS (SELECT FROM examined e WHERE e.of_head = side.of_head)
                OR EXISTS (SELECT FROM finish) AND NOT EXISTS (SELECT FROM nodes n WHERE n.of_head = side.of_head)
                THEN (SELECT count(*) FROM differing c WHERE c.of_head = side.of_head) END AS number,
            coalesce(
                NOT (SELECT met FROM finish)
                    OR EXISTS (SELECT FROM examined e WHERE e.of_head = side.of_head AND place > 100), false
            ) AS more,
            (
                SELECT coalesce(json_agg(
                    json_build_object('sha', sha, 'authored_at', authored_at, 'subject', subject) ORDER BY place
                ), '[]')
                FROM differing c WHERE c.of_head = side.of_head
            ) AS shown
        FROM (VALUES (true), (false)) AS side (of_head)
    )
    SELECT head.number, head.more, head.shown, base.number, base.more, base.shown
    FROM sides AS head JOIN sides AS base ON head.of_head AND NOT base.of_head;
END
$$;

-- The number of commits that the head artifact contains and the base artifact does not: `ahead_by` of
-- `compare_artifacts` without `whole_chain`. The overview counts for many environments, so this takes a fraction of the
-- time. It is null if it is unknown. It is also null if the answer needs more than 30 deployments of the two chains, 30
-- of their common part, 1000 deliveries of these commits, or 200 other deployments with them.
CREATE FUNCTION count_commits_ahead(
    head_artifact text, base_artifact text, to_environment bigint, or_before bigint
) RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    most CONSTANT integer := 30;
    head deployments;
    base deployments;
    of_head boolean;
    head_ids bigint[] := '{}';
    -- The deployments that are known to be in the chain of the base.
    base_ids bigint[] := '{}';
    head_commits bigint := 0;
    steps integer := 0;
    newest text[];
    others bigint[];
    oldest record;
    number bigint;
BEGIN
    SELECT * INTO head FROM first_deployment(head_artifact, to_environment, or_before);
    SELECT * INTO base FROM first_deployment(base_artifact, to_environment, or_before);
    IF head.id IS NULL THEN
        RETURN NULL;
    END IF;

    -- The chains meet, as in `compare_artifacts`.
    WHILE head.id IS DISTINCT FROM base.id AND head_commits <= 100 LOOP
        IF steps = most THEN
            RETURN NULL;
        END IF;
        steps := steps + 1;
        of_head := base.id IS NULL OR coalesce((head.finished_at, head.id) > (base.finished_at, base.id), false);
        IF of_head THEN
            head_ids := head_ids || head.id;
            head_commits := head_commits + head.commit_count;
            SELECT * INTO head FROM deployment_below(head, to_environment, or_before);
        ELSE
            base_ids := base_ids || base.id;
            SELECT * INTO base FROM deployment_below(base, to_environment, or_before);
        END IF;
    END LOOP;
    IF head_ids = '{}' THEN
        RETURN 0;
    END IF;

    SELECT array_agg(DISTINCT sha) INTO newest FROM (
        SELECT c.sha FROM unnest(head_ids) WITH ORDINALITY AS its (id, place)
        CROSS JOIN LATERAL (
            SELECT sha, authored_at FROM deployment_commits
            WHERE deployment_id = its.id ORDER BY authored_at DESC, sha DESC LIMIT 100
        ) AS c
        ORDER BY its.place, c.authored_at DESC, c.sha DESC LIMIT 100
    ) AS c;

    -- The other deployments that delivered one of these commits. Almost always, there is none. OFFSET 0 keeps the
    -- look-up of each commit in the index. A join may read the whole table.
    SELECT array_agg(DISTINCT delivery.id) FILTER (WHERE delivery.id <> ALL (head_ids)), count(*) INTO others, number
    FROM (
        SELECT its.deployment_id AS id
        FROM unnest(newest) AS c (sha) CROSS JOIN unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits WHERE environment_id = there.id AND sha = c.sha OFFSET 0
        ) AS its
        LIMIT 1001
    ) AS delivery;
    IF number > 1000 OR cardinality(others) > 200 THEN
        RETURN NULL;
    ELSIF others IS NULL THEN
        RETURN cardinality(newest);
    END IF;

    -- The common part of the chains, down to the oldest of these deployments.
    SELECT d.finished_at, d.id INTO oldest FROM unnest(others) AS other (id)
    CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = other.id OFFSET 0) AS d
    WHERE head.id IS NOT DISTINCT FROM base.id AND d.workspace = 'default' AND d.state = 'succeeded'
        AND (d.finished_at, d.id) <= (head.finished_at, head.id)
    ORDER BY d.finished_at, d.id LIMIT 1;
    steps := 0;
    WHILE (head.finished_at, head.id) >= (oldest.finished_at, oldest.id) LOOP
        IF steps = most THEN
            RETURN NULL;
        END IF;
        steps := steps + 1;
        base_ids := base_ids || head.id;
        SELECT * INTO head FROM deployment_below(head, to_environment, or_before);
    END LOOP;

    SELECT count(*) INTO number FROM unnest(newest) AS c (sha) WHERE NOT EXISTS (
        SELECT FROM unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits WHERE environment_id = there.id AND sha = c.sha OFFSET 0
        ) AS its
        WHERE its.deployment_id = ANY (base_ids)
    );
    RETURN number;
END
$$;

GRANT EXECUTE ON FUNCTION first_deployment, deployment_below, compare_artifacts, count_commits_ahead TO slipway_app;
