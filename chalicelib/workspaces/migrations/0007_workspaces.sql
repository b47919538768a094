-- Isolated copies of environments. The environment itself, the workspace `default`, has no row here.
CREATE TABLE workspaces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    name text NOT NULL,
    purpose text NOT NULL,
    owner varchar(1000) NOT NULL,
    reason stated_reason NOT NULL,
    base_url varchar(2000),
    database text NOT NULL,
    state text NOT NULL DEFAULT 'active',
    -- The time at which the workspace's end was last set. The longest lifetime counts from this time.
    granted_at moment NOT NULL,
    expires_at moment NOT NULL,
    destroyed_at moment,
    issuer varchar(2000) NOT NULL,
    created_by varchar(1000) NOT NULL,
    -- The repository of the pipeline that made the workspace. Pipelines of other repositories may not change it.
    repository_id varchar(255),
    created_at moment NOT NULL,
    CONSTRAINT workspaces_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT workspaces_name_is_usable
        CHECK (name ~ '^[a-z][a-z0-9-]{0,15}$' AND name !~ '--|-$' AND name <> 'default'),
    CONSTRAINT workspaces_base_url_is_https
        CHECK (base_url ~ '^https://([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$'),
    CONSTRAINT workspaces_purpose_known CHECK (purpose IN ('personal', 'preview', 'debug')),
    CONSTRAINT workspaces_database_known CHECK (database IN ('empty', 'clone', 'live')),
    CONSTRAINT workspaces_live_data_is_for_debugging CHECK (database <> 'live' OR purpose = 'debug'),
    CONSTRAINT workspaces_state_known CHECK (state IN ('active', 'expired', 'destroyed')),
    CONSTRAINT workspaces_destroyed_with_their_state CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL)),
    CONSTRAINT workspaces_end_in_time CHECK (
        expires_at > granted_at
        AND expires_at <= granted_at + CASE purpose WHEN 'debug' THEN interval '72 hours' ELSE interval '336 hours' END
    ),
    -- Deployments, verifications and routes refer to a workspace together with these columns.
    CONSTRAINT workspaces_as_target UNIQUE (id, environment_id, name),
    CONSTRAINT workspaces_as_routed UNIQUE (id, environment_id, purpose, state, expires_at),
    CONSTRAINT workspaces_as_address UNIQUE (id, base_url)
);

-- The name of a destroyed workspace is free again.
CREATE UNIQUE INDEX workspaces_name_once ON workspaces (environment_id, name) WHERE state <> 'destroyed';
CREATE INDEX workspaces_by_name ON workspaces (environment_id, name, id DESC);
CREATE INDEX workspaces_by_system ON workspaces (system_id, created_at DESC, id DESC);
CREATE INDEX workspaces_by_end ON workspaces (expires_at) WHERE state = 'active';
-- The overview counts the active workspaces of an environment.
CREATE INDEX workspaces_active ON workspaces (environment_id, expires_at) WHERE state = 'active';

-- An expired workspace never becomes active again, and a destroyed one never changes.
CREATE TRIGGER workspaces_never_come_back BEFORE UPDATE ON workspaces
    FOR EACH ROW WHEN (OLD.state = 'destroyed' OR (OLD.state = 'expired' AND NEW.state = 'active'))
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER workspaces_are_kept BEFORE DELETE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER workspaces_are_not_truncated BEFORE TRUNCATE ON workspaces
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT INSERT (
    system_id, environment_id, name, purpose, owner, reason, base_url, database, granted_at, expires_at,
    issuer, created_by, repository_id, created_at
) ON workspaces TO slipway_app;
GRANT SELECT, UPDATE (owner, reason, base_url, state, granted_at, expires_at, destroyed_at)
    ON workspaces TO slipway_app;
