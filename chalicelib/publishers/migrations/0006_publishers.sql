-- Rules that let pipelines write for a system. A publisher is not history: it is deleted with its system.
CREATE TABLE publishers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
    issuer url NOT NULL,
    repository_owner_id varchar(20) NOT NULL,
    repository_id varchar(20) NOT NULL,
    repository varchar(201) NOT NULL,
    workflow varchar(280) NOT NULL,
    called_workflow varchar(750),
    events text[] NOT NULL,
    ref varchar(255) NOT NULL,
    kinds text[] NOT NULL,
    -- The purposes of the workspaces that runs may write, if `kinds` has workspaces.
    purposes text[] NOT NULL,
    any_revision boolean NOT NULL,
    created_by varchar(1000) NOT NULL,
    created_at moment NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT publishers_events_known CHECK (
        cardinality(events) BETWEEN 1 AND 5 AND array_ndims(events) = 1
        AND events <@ ARRAY['push', 'workflow_dispatch', 'schedule', 'release', 'workflow_run']
    ),
    CONSTRAINT publishers_kinds_known CHECK (
        cardinality(kinds) BETWEEN 1 AND 4 AND array_ndims(kinds) = 1
        AND kinds <@ ARRAY['deployments', 'verifications', 'workspaces', 'bindings']
    ),
    CONSTRAINT publishers_wildcards_are_few CHECK (
        ref !~ '(\*.*){4}|\*\*' AND called_workflow !~ '(\*.*){4}|\*\*'
    ),
    CONSTRAINT publishers_purposes_known CHECK (
        cardinality(purposes) BETWEEN 1 AND 3 AND array_ndims(purposes) = 1
        AND purposes <@ ARRAY['personal', 'preview', 'debug']
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
    github_environment varchar(255),
    CONSTRAINT publisher_environments_once PRIMARY KEY (publisher_id, environment_id),
    CONSTRAINT publisher_environments_end_with_publisher
        FOREIGN KEY (publisher_id, system_id) REFERENCES publishers (id, system_id) ON DELETE CASCADE,
    CONSTRAINT publisher_environments_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX publisher_environments_by_environment ON publisher_environments (environment_id);

GRANT INSERT (
    system_id, issuer, repository_owner_id, repository_id, repository, workflow, called_workflow,
    events, ref, kinds, purposes, any_revision, created_by
) ON publishers TO slipway_app;
GRANT INSERT ON publisher_environments TO slipway_app;
GRANT SELECT, DELETE ON publishers, publisher_environments TO slipway_app;
