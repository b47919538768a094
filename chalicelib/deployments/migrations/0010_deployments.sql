CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    -- A target is an environment itself or one of its workspaces. A later workspace of the same name is another target.
    workspace text NOT NULL DEFAULT 'default',
    workspace_id bigint,
    artifact text NOT NULL,
    revision text,
    kind text NOT NULL,
    state text NOT NULL,
    detail text,
    imported boolean NOT NULL,
    run_url text,
    override_reason text,
    promotion_id bigint REFERENCES promotions (id),
    commit_count integer NOT NULL,
    lease_seconds integer,
    lease_expires_at timestamptz,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    issuer text NOT NULL,
    created_by text NOT NULL,
    -- The claims of the pipeline's token about its run. The body can't set them. Ids of runs are unique in a repository.
    repository_id text,
    run_id text,
    run_attempt text,
    run_sha text,
    run_actor text,
    CONSTRAINT deployments_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT deployments_go_to_target CHECK ((workspace = 'default') = (workspace_id IS NULL)),
    CONSTRAINT deployments_keep_workspace
        FOREIGN KEY (workspace_id, environment_id, workspace) REFERENCES workspaces (id, environment_id, name),
    CONSTRAINT deployments_artifact_known CHECK (artifact ~ '^(tree:([0-9a-f]{40}|[0-9a-f]{64})|sha256:[0-9a-f]{64})$'),
    CONSTRAINT deployments_revision_is_sha CHECK (revision ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    CONSTRAINT deployments_kind_known CHECK (kind IN ('rollout', 'rollback', 'hotfix')),
    CONSTRAINT deployments_state_known CHECK (state IN ('in_progress', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT deployments_finish_with_their_state CHECK ((state = 'in_progress') = (finished_at IS NULL)),
    CONSTRAINT deployments_finish_after_start CHECK (finished_at >= started_at),
    CONSTRAINT deployments_hold_a_lease_or_are_imported
        CHECK (imported = (lease_expires_at IS NULL) AND NOT (imported AND state = 'in_progress')),
    CONSTRAINT deployments_override_has_reason CHECK (length(override_reason) BETWEEN 10 AND 500)
);

-- A target has at most one deployment in progress.
CREATE UNIQUE INDEX deployments_one_at_a_time ON deployments (environment_id, workspace)
    WHERE state = 'in_progress';
-- A repeated import makes no second deployment. Neither does a repeated request by one attempt of a pipeline's run.
CREATE UNIQUE INDEX deployments_import_once ON deployments (
    environment_id, workspace, artifact, coalesce(revision, ''), finished_at, coalesce(workspace_id, 0)
) WHERE imported;
CREATE UNIQUE INDEX deployments_run_once ON deployments (
    environment_id, workspace, kind, artifact, issuer, run_id, run_attempt,
    coalesce(repository_id, ''), coalesce(workspace_id, 0)
) WHERE run_id IS NOT NULL AND NOT imported;

CREATE INDEX deployments_succeeded ON deployments (environment_id, workspace, finished_at DESC, id DESC)
    WHERE state = 'succeeded';
CREATE INDEX deployments_succeeded_by_artifact
    ON deployments (environment_id, workspace, artifact, finished_at DESC, id DESC) WHERE state = 'succeeded';
CREATE INDEX deployments_by_system ON deployments (system_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_environment
    ON deployments (environment_id, workspace, started_at DESC, id DESC);
CREATE INDEX deployments_by_artifact ON deployments (system_id, artifact, started_at DESC, id DESC);
CREATE INDEX deployments_by_revision ON deployments (system_id, revision, started_at DESC, id DESC)
    WHERE revision IS NOT NULL;

CREATE TABLE deployment_statuses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    state text NOT NULL,
    detail text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);

CREATE INDEX deployment_statuses_by_deployment ON deployment_statuses (deployment_id, created_at DESC, id DESC);

-- The commits that each deployment delivers.
CREATE TABLE deployment_commits (
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    environment_id bigint NOT NULL,
    sha text NOT NULL,
    authored_at timestamptz NOT NULL,
    subject text,
    CONSTRAINT deployment_commits_once PRIMARY KEY (deployment_id, sha),
    CONSTRAINT deployment_commits_subject_is_short CHECK (length(subject) <= 200)
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
GRANT SELECT, INSERT, UPDATE (state, detail, finished_at, lease_expires_at) ON deployments TO slipway_app;
GRANT SELECT, INSERT ON deployment_statuses, deployment_commits TO slipway_app;
