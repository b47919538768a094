CREATE TABLE systems (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL,
    name varchar(100) NOT NULL,
    repository url,
    description varchar(2000) NOT NULL,
    artifact_kind text NOT NULL,
    created_at moment NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT systems_key_once UNIQUE (key),
    CONSTRAINT systems_key_is_slug CHECK (key ~ '^[a-z][a-z0-9-]{1,38}$'),
    CONSTRAINT systems_artifact_kind_known CHECK (artifact_kind IN ('tree', 'sha256'))
);

-- Callers know a system by its key, so the key never changes.
GRANT SELECT, INSERT (key, name, repository, description, artifact_kind), DELETE, UPDATE (name, repository, description)
    ON systems TO slipway_app;
