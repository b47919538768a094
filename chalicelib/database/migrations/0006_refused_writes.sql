-- Refused writes leave events too. `refusal` is the slug of the problem in the answer.
ALTER TABLE audit_events ADD COLUMN refusal text;

-- Events are listed newest first, by period, system, principal or action.
DROP INDEX audit_events_by_system;
CREATE INDEX audit_events_by_time ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_by_system ON audit_events (system_key, at DESC, id DESC);
CREATE INDEX audit_events_by_principal ON audit_events (principal, at DESC, id DESC);
CREATE INDEX audit_events_by_action ON audit_events (action, at DESC, id DESC);
