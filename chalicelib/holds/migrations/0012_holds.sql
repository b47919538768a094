-- A hold of one system, or a hold over several systems if `system_id` is null.
CREATE TABLE holds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint,
    environment_id bigint,
    kind text NOT NULL,
    production boolean NOT NULL,
    artifact artifact_id,
    reason stated_reason NOT NULL,
    starts_at moment NOT NULL,
    ends_at moment,
    recurrence small_json,
    blocks_rollbacks boolean NOT NULL,
    created_at moment NOT NULL,
    issuer varchar(2000) NOT NULL,
    created_by varchar(1000) NOT NULL,
    released_at moment,
    released_by varchar(1000),
    release_reason stated_reason,
    CONSTRAINT holds_keep_system FOREIGN KEY (system_id) REFERENCES systems (id),
    CONSTRAINT holds_keep_environment
        FOREIGN KEY (environment_id, system_id) REFERENCES environments (id, system_id),
    CONSTRAINT holds_kind_known CHECK (kind IN ('freeze', 'pin', 'bad')),
    -- The foreign key does not check an environment without a system, so this constraint does.
    CONSTRAINT holds_fit_their_kind CHECK (
        CASE kind
        WHEN 'pin' THEN artifact IS NOT NULL AND environment_id IS NOT NULL
        WHEN 'bad' THEN artifact IS NOT NULL AND environment_id IS NULL
        ELSE artifact IS NULL
        END
        AND (kind = 'freeze' OR (system_id IS NOT NULL AND ends_at IS NULL AND recurrence IS NULL))
        AND (kind = 'freeze' OR NOT (production OR blocks_rollbacks))
        AND (environment_id IS NULL OR (system_id IS NOT NULL AND NOT production))
    ),
    CONSTRAINT holds_end_after_start CHECK (ends_at > starts_at),
    CONSTRAINT holds_release_is_complete CHECK (
        (released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)
    )
);

CREATE UNIQUE INDEX holds_one_pin ON holds (environment_id) WHERE kind = 'pin' AND released_at IS NULL;
CREATE UNIQUE INDEX holds_one_bad_mark ON holds (system_id, artifact) WHERE kind = 'bad' AND released_at IS NULL;

-- The freezes that are not over. Their number is bounded, and the gate reads them all.
CREATE INDEX holds_freezes ON holds (system_id, coalesce(ends_at, 'infinity'))
    WHERE kind = 'freeze' AND released_at IS NULL;
CREATE INDEX holds_bad_marks ON holds (system_id, artifact, created_at) WHERE kind = 'bad';
CREATE INDEX holds_by_system ON holds (system_id, id DESC);
CREATE INDEX holds_by_environment ON holds (environment_id, id DESC);

CREATE TRIGGER holds_are_final BEFORE UPDATE ON holds
    FOR EACH ROW WHEN (OLD.released_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER holds_are_kept BEFORE DELETE ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER holds_are_not_truncated BEFORE TRUNCATE ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A hold can be released. Nothing else of it ever changes.
GRANT SELECT, UPDATE (released_at, released_by, release_reason) ON holds TO slipway_app;
GRANT INSERT (
    system_id, environment_id, kind, production, artifact, reason, starts_at, ends_at, recurrence, blocks_rollbacks,
    created_at, issuer, created_by
) ON holds TO slipway_app;
