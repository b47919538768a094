-- A deployment has up to 10,000 commits. The check takes an eighth of the time of `~ '^[0-9a-f]{40}$'`.
CREATE DOMAIN commit_sha AS text CONSTRAINT commit_sha_known CHECK (length(VALUE) = 40 AND VALUE !~ '[^0-9a-f]');

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
-- Rules 1 and 2 of the registry look up the rollbacks since a deployment.
CREATE INDEX deployments_rollbacks ON deployments (environment_id, workspace, finished_at DESC, id DESC)
    WHERE state = 'succeeded' AND kind = 'rollback';
-- Rule 16: imports end before the first deployment that the service itself recorded.
CREATE INDEX deployments_recorded ON deployments (environment_id, workspace, started_at) WHERE NOT imported;
CREATE INDEX deployments_overridden ON deployments (system_id, started_at DESC, id DESC)
    WHERE overridden IS NOT NULL;
CREATE INDEX deployments_by_system ON deployments (system_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_environment
    ON deployments (environment_id, workspace, started_at DESC, id DESC);
CREATE INDEX deployments_by_artifact ON deployments (system_id, artifact, started_at DESC, id DESC);

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
    CONSTRAINT deployment_commits_once PRIMARY KEY (deployment_id, sha)
);

-- The query for the state looks up the last deployments that delivered a commit to an environment.
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha, deployment_id);

CREATE TRIGGER deployments_are_final BEFORE UPDATE ON deployments
    FOR EACH ROW WHEN (OLD.state <> 'in_progress') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_kept BEFORE DELETE ON deployments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_not_truncated BEFORE TRUNCATE ON deployments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A deployment in progress can be renewed or finished. Its artifact, its target and its caller never change.
GRANT SELECT, UPDATE (state, detail, finished_at, lease_expires_at) ON deployments TO slipway_app;
GRANT INSERT (
    system_id, environment_id, workspace, workspace_id, artifact, revision, kind, state, detail, imported,
    run_url, override_reason, overridden, promotion_id, commit_count, lease_seconds, lease_expires_at,
    started_at, finished_at, issuer, created_by, repository_id, run_id, run_attempt, run_sha, run_actor
) ON deployments TO slipway_app;
GRANT SELECT ON deployment_statuses, deployment_commits TO slipway_app;
GRANT INSERT (deployment_id, state, detail, created_at, created_by) ON deployment_statuses TO slipway_app;
GRANT INSERT ON deployment_commits TO slipway_app;
