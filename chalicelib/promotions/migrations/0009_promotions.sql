CREATE TABLE promotions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    artifact text NOT NULL,
    decision text NOT NULL,
    blockers jsonb NOT NULL,
    more_blockers boolean NOT NULL,
    decided_at timestamptz NOT NULL,
    decided_by text NOT NULL,
    CONSTRAINT promotions_decision_known CHECK (decision IN ('granted', 'denied')),
    CONSTRAINT promotions_blockers_are_few CHECK (jsonb_array_length(blockers) <= 100),
    CONSTRAINT promotions_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id)
);

CREATE INDEX promotions_by_system ON promotions (system_id, decided_at DESC, id DESC);
CREATE INDEX promotions_by_artifact ON promotions (system_id, artifact, decided_at DESC, id DESC);
CREATE INDEX promotions_by_environment ON promotions (environment_id);

GRANT SELECT, INSERT ON promotions TO slipway_app;
