-- The instances of external systems that environments use. A binding is a setting, not history: it ends with its
-- environment, and the audit trail has its changes.
CREATE TABLE bindings (
    environment_id bigint NOT NULL,
    system_id bigint NOT NULL,
    dependency varchar(39) NOT NULL,
    instance varchar(500) NOT NULL,
    access text NOT NULL,
    exclusive boolean NOT NULL,
    CONSTRAINT bindings_once PRIMARY KEY (environment_id, dependency),
    CONSTRAINT bindings_end_with_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id) ON DELETE CASCADE,
    CONSTRAINT bindings_dependency_is_slug CHECK (dependency ~ '^[a-z][a-z0-9-]{1,38}$'),
    CONSTRAINT bindings_instance_known CHECK (instance ~ '^(arn:|[a-z][a-z0-9+.-]*://)[!-~]+$'),
    CONSTRAINT bindings_access_known CHECK (access IN ('read_only', 'read_write'))
);

-- Crosstalk is looked for by instance.
CREATE INDEX bindings_by_instance ON bindings (instance, environment_id);
CREATE INDEX bindings_by_system ON bindings (system_id, instance);

GRANT SELECT, INSERT, DELETE, UPDATE (instance, access, exclusive) ON bindings TO slipway_app;
