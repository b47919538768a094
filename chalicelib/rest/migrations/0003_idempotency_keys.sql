-- The first 2xx answer to a POST with an Idempotency-Key, stored with the write.
CREATE TABLE idempotency_keys (
    issuer varchar(2000) NOT NULL,
    principal varchar(1000) NOT NULL,
    route varchar(1000) NOT NULL,
    key varchar(255) NOT NULL,
    request_digest varchar(64) NOT NULL,
    status integer NOT NULL,
    headers small_json NOT NULL,
    body varchar(500000) NOT NULL,
    created_at moment NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT idempotency_keys_once PRIMARY KEY (issuer, principal, route, key),
    CONSTRAINT idempotency_keys_status_is_success CHECK (status BETWEEN 200 AND 299)
);

-- Stored answers are kept for a day. The sweep deletes older answers.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- The number of writes of each caller in the last hour in which the caller wrote, and of the refused ones. `allowed` is
-- the setting of the stage at the last write.
CREATE TABLE hourly_writes (
    issuer varchar(2000) NOT NULL,
    -- The repository and publishers of a pipeline, or the subject of another caller.
    writer varchar(1000) NOT NULL,
    refused boolean NOT NULL,
    hour moment NOT NULL,
    writes integer NOT NULL,
    allowed integer NOT NULL,
    CONSTRAINT hourly_writes_once PRIMARY KEY (issuer, writer, refused),
    CONSTRAINT hourly_writes_within_rate CHECK (writes BETWEEN 0 AND allowed)
);

GRANT SELECT, INSERT, UPDATE (hour, writes, allowed) ON hourly_writes TO slipway_app;
GRANT SELECT, INSERT, DELETE, UPDATE (request_digest, status, headers, body, created_at)
    ON idempotency_keys TO slipway_app;
