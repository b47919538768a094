-- Every write adds an event to this table.

CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at moment NOT NULL DEFAULT clock_timestamp(),
    system_key varchar(39),
    issuer varchar(2000) NOT NULL,
    principal varchar(1000) NOT NULL,
    action varchar(61) NOT NULL,
    resource varchar(500) NOT NULL,
    before small_json,
    after small_json,
    request_id varchar(255) NOT NULL,
    -- The slug of the problem in the answer, if the write was refused.
    refusal varchar(100),
    -- Why the caller made the change, if they said so.
    reason stated_reason
);

-- Events are listed newest first, by period, system, principal or action.
CREATE INDEX audit_events_by_time ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_by_system ON audit_events (system_key, at DESC, id DESC);
CREATE INDEX audit_events_by_principal ON audit_events (principal, at DESC, id DESC);
CREATE INDEX audit_events_by_action ON audit_events (action, at DESC, id DESC);

CREATE TRIGGER audit_events_are_final BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- Triggers protect records from every role, even from the owner. This one refuses TRUNCATE.
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The database sets the time of an event, so the service may not insert the column `at`.
GRANT SELECT, INSERT (system_key, issuer, principal, action, resource, before, after, request_id, refusal, reason)
    ON audit_events TO slipway_app;
