-- The first 2xx answer to a POST with an Idempotency-Key, stored with the write.
CREATE TABLE idempotency_keys (
    issuer text NOT NULL,
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_digest text NOT NULL,
    status integer NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT idempotency_keys_once PRIMARY KEY (issuer, principal, route, key)
);

-- Stored answers are kept for a day. The sweep deletes older answers.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- How often each caller wrote in the last hour in which the caller wrote, and how often a write was refused. `allowed` is
-- the setting of the stage at the last write.
CREATE TABLE hourly_writes (
    issuer text NOT NULL,
    -- The repository and publishers of a pipeline, or the subject of another caller.
    writer text NOT NULL,
    refused boolean NOT NULL,
    hour timestamptz NOT NULL,
    writes integer NOT NULL,
    allowed integer NOT NULL,
    CONSTRAINT hourly_writes_once PRIMARY KEY (issuer, writer, refused),
    CONSTRAINT hourly_writes_within_rate CHECK (writes <= allowed)
);

GRANT SELECT, INSERT, UPDATE (hour, writes, allowed) ON hourly_writes TO slipway_app;
GRANT SELECT, INSERT, DELETE, UPDATE (request_digest, status, headers, body, created_at)
    ON idempotency_keys TO slipway_app;
