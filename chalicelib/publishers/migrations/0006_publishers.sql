-- Rules that let pipelines write for a system. A publisher is not history: it is deleted with its system.
CREATE TABLE publishers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
    issuer text NOT NULL,
    repository_owner_id text NOT NULL,
    repository_id text NOT NULL,
    repository text NOT NULL,
    workflow text NOT NULL,
    called_workflow text,
    events text[] NOT NULL,
    ref text NOT NULL,
    kinds text[] NOT NULL,
    -- The purposes of the workspaces that runs may write, if `kinds` has workspaces.
    purposes text[] NOT NULL,
    any_revision boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT publishers_events_known CHECK (
        cardinality(events) > 0
        AND events <@ ARRAY['push', 'workflow_dispatch', 'schedule', 'release', 'workflow_run']
    ),
    CONSTRAINT publishers_kinds_known CHECK (
        cardinality(kinds) > 0 AND kinds <@ ARRAY['deployments', 'verifications', 'workspaces']
    ),
    CONSTRAINT publishers_purposes_known CHECK (
        cardinality(purposes) > 0 AND purposes <@ ARRAY['personal', 'preview', 'debug']
    ),
    CONSTRAINT publishers_of_system UNIQUE (id, system_id)
);

CREATE INDEX publishers_by_repository ON publishers (repository_id, repository_owner_id, issuer);
CREATE INDEX publishers_by_system ON publishers (system_id, id DESC);

-- The environments that a publisher lets runs write for. They are named by id, so a publisher gives no rights to a later
-- environment of the same name. The check of the environment waits until COMMIT, so that a system can be deleted with
-- its environments and publishers.
CREATE TABLE publisher_environments (
    publisher_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    system_id bigint NOT NULL,
    -- The required claim `environment`. Null accepts any.
    github_environment text,
    CONSTRAINT publisher_environments_once PRIMARY KEY (publisher_id, environment_id),
    CONSTRAINT publisher_environments_end_with_publisher
        FOREIGN KEY (publisher_id, system_id) REFERENCES publishers (id, system_id) ON DELETE CASCADE,
    CONSTRAINT publisher_environments_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX publisher_environments_by_environment ON publisher_environments (environment_id);

GRANT SELECT, INSERT, DELETE ON publishers, publisher_environments TO slipway_app;
