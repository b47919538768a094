CREATE DOMAIN artifact_id AS text
    CONSTRAINT artifact_id_known CHECK (VALUE ~ '^(tree:([0-9a-f]{40}|[0-9a-f]{64})|sha256:[0-9a-f]{64})$');

CREATE TABLE promotions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    artifact artifact_id NOT NULL,
    decision text NOT NULL,
    blockers small_json NOT NULL,
    more_blockers boolean NOT NULL,
    still_required small_json,
    decided_at moment NOT NULL,
    decided_by varchar(1000) NOT NULL,
    CONSTRAINT promotions_decision_known CHECK (decision IN ('granted', 'denied')),
    CONSTRAINT promotions_blockers_are_few CHECK (jsonb_array_length(blockers) <= 100),
    CONSTRAINT promotions_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id)
);

CREATE INDEX promotions_by_system ON promotions (system_id, decided_at DESC, id DESC);
CREATE INDEX promotions_by_artifact ON promotions (system_id, artifact, decided_at DESC, id DESC);
CREATE INDEX promotions_by_environment ON promotions (environment_id, decided_at DESC, id DESC);

GRANT SELECT ON promotions TO slipway_app;
GRANT INSERT (
    system_id, environment_id, artifact, decision, blockers, more_blockers, still_required, decided_at, decided_by
) ON promotions TO slipway_app;
