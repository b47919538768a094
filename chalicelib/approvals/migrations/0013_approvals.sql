-- No column says that an approval was used, has expired or is void: that is derived from deployments, holds and time.
CREATE TABLE approvals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    artifact artifact_id NOT NULL,
    comment varchar(2000),
    created_at moment NOT NULL,
    issuer varchar(2000) NOT NULL,
    created_by varchar(1000) NOT NULL,
    withdrawn_at moment,
    withdrawn_by varchar(1000),
    withdrawal_reason stated_reason,
    CONSTRAINT approvals_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT approvals_withdrawal_is_complete CHECK (
        (withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NOT NULL OR withdrawal_reason IS NULL)
    )
);

CREATE INDEX approvals_by_artifact ON approvals (environment_id, artifact, created_at DESC);
CREATE INDEX approvals_by_system ON approvals (system_id, created_at DESC, id DESC);

CREATE TRIGGER approvals_are_final BEFORE UPDATE ON approvals
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_are_not_truncated BEFORE TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An approval can be withdrawn. Nothing else of it ever changes.
GRANT SELECT, UPDATE (withdrawn_at, withdrawn_by, withdrawal_reason) ON approvals TO slipway_app;
GRANT INSERT (system_id, environment_id, artifact, comment, created_at, issuer, created_by) ON approvals TO slipway_app;
