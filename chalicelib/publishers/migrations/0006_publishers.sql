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
    environments jsonb NOT NULL,
    kinds text[] NOT NULL,
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
    CONSTRAINT publishers_name_environments CHECK (
        jsonb_typeof(environments) = 'object' AND environments <> '{}'
    )
);

CREATE INDEX publishers_by_repository ON publishers (repository_id, repository_owner_id, issuer);
CREATE INDEX publishers_by_system ON publishers (system_id, id DESC);

GRANT SELECT, INSERT, DELETE ON publishers TO slipway_app;
