CREATE TABLE verifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    -- The target and the artifact are those of the deployment. Lists filter by them.
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    environment_id bigint NOT NULL,
    workspace text NOT NULL DEFAULT 'default',
    workspace_id bigint,
    artifact artifact_id NOT NULL,
    suite text NOT NULL,
    trigger text NOT NULL,
    outcome text NOT NULL,
    started_at moment NOT NULL,
    finished_at moment NOT NULL,
    passed integer,
    failed integer,
    skipped integer,
    run_url url,
    imported boolean NOT NULL,
    -- True if this was imported after the service had recorded a deployment to the target itself. No gate counts it.
    late boolean NOT NULL DEFAULT false,
    issuer varchar(2000) NOT NULL,
    created_by varchar(1000) NOT NULL,
    created_at moment NOT NULL DEFAULT clock_timestamp(),
    -- The verification counts and ages from this moment: a time that a client sends only informs.
    counts_at timestamptz NOT NULL GENERATED ALWAYS AS (CASE WHEN imported THEN finished_at ELSE created_at END) STORED,
    -- The claims of the pipeline's token about its run. Ids of runs are unique in a repository.
    repository_id varchar(255),
    run_id varchar(255),
    run_attempt varchar(255),
    CONSTRAINT verifications_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT verifications_are_of_target CHECK ((workspace = 'default') = (workspace_id IS NULL)),
    CONSTRAINT verifications_keep_workspace
        FOREIGN KEY (workspace_id, environment_id, workspace) REFERENCES workspaces (id, environment_id, name),
    CONSTRAINT verifications_late_are_imported CHECK (imported OR NOT late),
    CONSTRAINT verifications_trigger_known CHECK (trigger IN ('deployment', 'schedule', 'manual')),
    CONSTRAINT verifications_outcome_known CHECK (outcome IN ('success', 'failure', 'error', 'cancelled')),
    CONSTRAINT verifications_finish_after_start CHECK (finished_at >= started_at),
    CONSTRAINT verifications_counts_are_not_negative CHECK (passed >= 0 AND failed >= 0 AND skipped >= 0),
    CONSTRAINT verifications_suite_known CHECK (suite ~ '^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$')
);

CREATE UNIQUE INDEX verifications_import_once
    ON verifications (environment_id, workspace, artifact, suite, finished_at, coalesce(workspace_id, 0))
    WHERE imported;

CREATE INDEX verifications_by_deployment ON verifications (deployment_id, suite, counts_at DESC, id DESC);
-- The gate counts only these outcomes: it finds the latest of a suite even after many runs that broke.
CREATE INDEX verifications_counted ON verifications (deployment_id, suite, counts_at DESC, id DESC)
    WHERE outcome IN ('success', 'failure') AND NOT late;
CREATE INDEX verifications_by_system ON verifications (system_id, finished_at DESC, id DESC);
CREATE INDEX verifications_by_environment ON verifications (environment_id, finished_at DESC, id DESC);
CREATE INDEX verifications_by_artifact ON verifications (system_id, artifact, finished_at DESC, id DESC);

CREATE TRIGGER verifications_are_final BEFORE UPDATE OR DELETE ON verifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER verifications_are_not_truncated BEFORE TRUNCATE ON verifications
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON verifications TO slipway_app;
GRANT INSERT (
    system_id, deployment_id, environment_id, workspace, workspace_id, artifact, suite, trigger, outcome, started_at,
    finished_at, passed, failed, skipped, run_url, imported, late, issuer, created_by, repository_id, run_id,
    run_attempt
) ON verifications TO slipway_app;
